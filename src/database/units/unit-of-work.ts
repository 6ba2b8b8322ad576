import type { EntityManager } from '@mikro-orm/postgresql';
import { repositories, type Repositories } from '../../repositories/index.ts';
import { toDataError } from '../../postgres/errors/translate-error.ts';
import { gatedRepository } from './gated-repository.ts';
import { runUngated } from './inner-unit.ts';
import { UnitEntityManager } from './unit-entity-manager.ts';
import type { UnitGate } from './unit-gate.ts';

/** A unit of work whose repositories have the methods that only read or stream, according to their signatures. */
export type ReadingUnitOfWork = {
  readonly [Name in keyof Repositories]: Pick<
    Repositories[Name],
    ReadingMethod<(typeof repositories)[Name][1]['signatures']> & keyof Repositories[Name]
  >;
};
type ReadingMethod<Signatures> = {
  [Method in keyof Signatures]: Signatures[Method] extends { readonly effect: 'reads' | 'streams' }
    ? Method
    : never;
}[keyof Signatures];

// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- the static block below defines a getter for each member
export interface UnitOfWork extends Repositories {}

/**
 * A unit of work on the database: its repositories share loaded entities, and their changes are committed or rolled back together. Two
 * units of work share nothing.
 */
export class UnitOfWork {
  /** The ORM's entity manager, for queries that no repository has. */
  readonly em: EntityManager;

  constructor(em: EntityManager) {
    this.em = em;
  }

  static {
    for (const [name, [, Repository]] of Object.entries(repositories)) {
      Object.defineProperty(this.prototype, name, {
        configurable: true,
        get(this: UnitOfWork): object {
          return this.#gated(name, new Repository(this.em));
        },
      });
    }
  }

  /**
   * Flushes the changes so far, and keeps the unit of work open.
   *
   * @throws DataError when PostgreSQL refuses a change. The transaction refuses further statements then, unless this ran inside the
   * `transact` of a unit of work, which rolls back to its savepoint.
   */
  flush(): Promise<void> {
    // A gate translates errors, and records the promise that the caller has.
    return this.#gate
      ? this.em.flush()
      : this.em.flush().catch((error: unknown) => Promise.reject(toDataError(error)));
  }

  /**
   * Runs `work` as an inner unit of work, behind a savepoint. When `work` throws, its changes are rolled back, in the database and in
   * memory, and this unit of work can be used further. It waits for running calls. While it runs, other code can't use this unit of work,
   * nor begin another inner one.
   *
   * @throws ConcurrentUseError while another one runs; UnfinishedWorkError when `work` returns before one of its calls has ended; DataError
   * when PostgreSQL refuses a change. Errors of `work` are thrown unchanged.
   */
  transact<T>(work: (uow: UnitOfWork) => Promise<T>): Promise<T> {
    const inner = (em: EntityManager): Promise<T> => work(new UnitOfWork(em));
    return this.#gate ? this.em.transactional(inner) : runUngated(this.em, inner);
  }

  get #gate(): UnitGate | undefined {
    return UnitEntityManager.gateOf(this.em);
  }

  #gated<R extends object>(name: string, repository: R): R {
    return this.#gate ? gatedRepository(this.#gate, name, repository) : repository;
  }
}
