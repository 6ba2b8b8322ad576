import { EntityManager, type EntityDictionary, type EntityName } from '@mikro-orm/postgresql';
import { Transaction } from 'kysely';
import { StatementError } from '../../errors.ts';
import { toDataError } from '../translate-error.ts';
import { runInner } from './inner-unit.ts';
import { keepChanges } from './keep-changes.ts';
import { flushKeeping } from './late-changes.ts';
import type { UnitGate } from './unit-gate.ts';

const calls = [
  'find',
  'findAll',
  'findAndCount',
  'findByCursor',
  'findOne',
  'findOneOrFail',
  'refresh',
  'refreshOrFail',
  'count',
  'countBy',
  'execute',
  'callRoutine',
  'insert',
  'insertMany',
  'upsert',
  'upsertMany',
  'nativeUpdate',
  'nativeDelete',
  'populate',
  'lock',
] as const;

const staging = ['create', 'persist', 'remove'] as const;

/** The ORM's entity manager, as a handle of a unit of work: after the unit's end it refuses, and so do all forks made of it. */
export class UnitEntityManager extends EntityManager {
  #gate: UnitGate | undefined;

  static {
    for (const name of calls) {
      const method = Reflect.get(EntityManager.prototype, name) as (...given: unknown[]) => Promise<unknown>;
      Object.defineProperty(this.prototype, name, {
        configurable: true,
        writable: true,
        value(this: UnitEntityManager, ...given: unknown[]) {
          return this.#gate
            ? this.#gate.call(`em.${name}`, () => method.apply(this, given))
            : method.apply(this, given);
        },
      });
    }
    const stream = Reflect.get(EntityManager.prototype, 'stream') as (...given: unknown[]) => AsyncGenerator;
    Object.defineProperty(this.prototype, 'stream', {
      configurable: true,
      writable: true,
      value(this: UnitEntityManager, ...given: unknown[]) {
        const rows = stream.apply(this, given);
        const gate = this.#gate;
        return gate ? ownRows(gate, rows) : rows;
      },
    });
    for (const name of staging) {
      const method = Reflect.get(EntityManager.prototype, name) as (...given: unknown[]) => unknown;
      Object.defineProperty(this.prototype, name, {
        configurable: true,
        writable: true,
        value(this: UnitEntityManager, ...given: unknown[]) {
          this.#gate?.check(`em.${name}`);
          return method.apply(this, given);
        },
      });
    }
  }

  get gate(): UnitGate | undefined {
    return this.#gate;
  }

  /** Makes it a handle of the unit of work behind this gate. */
  join(gate: UnitGate): void {
    if (!this.#gate) keepChanges(this);
    this.#gate = gate;
    if (gate.transaction) this.setTransactionContext(gate.transaction);
  }

  /** Has it refuse for ever. */
  close(): void {
    this.setTransactionContext(nowhere);
  }

  override fork(options: Parameters<EntityManager['fork']>[0] = {}): this {
    const fork = super.fork(this.#gate ? { ...options, keepTransactionContext: true } : options) as this;
    if (this.#gate) {
      this.#gate.check('em.fork');
      fork.join(this.#gate);
    }
    return fork;
  }

  override map<E extends object>(
    entity: EntityName<E>,
    row: EntityDictionary<E>,
    options?: Parameters<EntityManager['map']>[2],
  ): E {
    // With `cascade`, the ORM would take unflushed values for what is stored.
    return super.map(entity, row, Object.assign({ cascade: false }, options));
  }

  override async transactional<T>(
    work: (em: this) => T | Promise<T>,
    options: Parameters<EntityManager['transactional']>[1] = {},
  ): Promise<T> {
    if (!this.#gate || this.#gate.isEnding) return super.transactional(work as never, options) as Promise<T>;
    if (options.propagation !== undefined || options.ctx !== undefined)
      throw new StatementError(
        'a unit of work has one transaction: `propagation` and `ctx` are not for it',
        {},
      );
    return runInner(this, async (em) => work(em as this));
  }

  override flush(): Promise<void> {
    return this.#gate
      ? this.#gate.call('em.flush', () => flushKeeping(this, () => super.flush()))
      : super.flush();
  }

  override async begin(options?: Parameters<EntityManager['begin']>[0]): Promise<void> {
    this.#refuse();
    return super.begin(options);
  }

  override async commit(): Promise<void> {
    this.#refuse();
    return super.commit();
  }

  override async rollback(): Promise<void> {
    this.#refuse();
    return super.rollback();
  }

  #refuse(): void {
    if (this.#gate) throw new StatementError('a unit of work begins and ends its transaction itself', {});
  }
}

// Its own method rather than a loop around it, which would have to hand on what ends it.
function ownRows(gate: UnitGate, rows: AsyncGenerator): AsyncGenerator {
  const next = rows.next.bind(rows);
  let isOpen = false;
  return Object.assign(rows, {
    next: async () => {
      try {
        gate.check('em.stream');
        if (isOpen) return await next();
        // It begins between two calls, not amid one.
        const first = await gate.call('em.stream', next);
        isOpen = true;
        return first;
      } catch (error) {
        throw toDataError(error);
      }
    },
  });
}

const ended = () => {
  throw new Error('the unit of work has ended');
};

// For units of work that read outside a transaction: what the ORM would send through the pool goes nowhere.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing but its executor is asked
const nowhere = new Transaction<unknown>({
  config: {},
  dialect: {},
  driver: {},
  executor: {
    executeQuery: ended,
    stream: ended,
    provideConnection: ended,
    compileQuery: ended,
    transformQuery: ended,
  },
} as unknown as ConstructorParameters<typeof Transaction<unknown>>[0]);
