import type { EntityManager } from '@mikro-orm/postgresql';
import { repositories, type Repositories } from '../../repositories/index.ts';
import { toDataError } from '../../postgres/errors/translate-error.ts';
import { door } from './door.ts';
import { runUngated } from './inner-unit.ts';
import { UnitEntityManager } from './unit-entity-manager.ts';
import type { UnitGate } from './unit-gate.ts';

/** A unit of work whose repositories have those of their methods that only read, by their signatures. */
export type ReadingUnitOfWork = {
  readonly [Name in keyof Repositories]: Pick<
    Repositories[Name],
    ReadingMethod<(typeof repositories)[Name][1]['signatures']> & keyof Repositories[Name]
  >;
};
type ReadingMethod<Signatures> = {
  [Method in keyof Signatures]: Signatures[Method] extends { readonly effect: 'reads' } ? Method : never;
}[keyof Signatures];

// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- the static block below defines a getter for each member
export interface UnitOfWork extends Repositories {}

/**
 * One piece of work on the database: its repositories share what they have loaded, and what they change is written together.
 * Two units of work share nothing.
 */
export class UnitOfWork {
  /** The ORM's own handle, for what no repository offers. */
  readonly em: EntityManager;

  constructor(em: EntityManager) {
    this.em = em;
  }

  static {
    for (const [name, [, Repository]] of Object.entries(repositories)) {
      Object.defineProperty(this.prototype, name, {
        configurable: true,
        get(this: UnitOfWork): object {
          return this.#behindDoor(name, new Repository(this.em));
        },
      });
    }
  }

  /**
   * Writes what has changed so far, without ending the unit of work.
   *
   * @throws DataError when PostgreSQL refuses the change. The transaction can't go on then, unless this ran inside `transact` of a
   * unit of work, whose savepoint takes it back.
   */
  flush(): Promise<void> {
    // A gate translates by itself, and has to know the promise that the caller has.
    return this.#gate
      ? this.em.flush()
      : this.em.flush().catch((error: unknown) => Promise.reject(toDataError(error)));
  }

  /**
   * Runs `work` within this unit of work, behind a savepoint: when it throws, what it wrote is rolled back, and this unit of work goes on
   * with what it had before, in the database and in memory. It waits for the calls that run. While it runs, other code may not use this
   * unit of work, nor begin a second one.
   *
   * @throws ConcurrentUseError while another one runs; UnfinishedWorkError when `work` returns before a call of it has ended; DataError when
   * PostgreSQL refuses the change. What `work` throws is thrown unchanged.
   */
  transact<T>(work: (uow: UnitOfWork) => Promise<T>): Promise<T> {
    const inner = (em: EntityManager): Promise<T> => work(new UnitOfWork(em));
    return this.#gate ? this.em.transactional(inner) : runUngated(this.em, inner);
  }

  get #gate(): UnitGate | undefined {
    return UnitEntityManager.gateOf(this.em);
  }

  #behindDoor<R extends object>(name: string, repository: R): R {
    return this.#gate ? door(this.#gate, name, repository) : repository;
  }
}
