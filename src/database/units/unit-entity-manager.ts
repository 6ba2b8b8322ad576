import type { EntityDictionary, EntityManager, EntityName, MikroORM } from '@mikro-orm/postgresql';
import type { ControlledTransaction } from 'kysely';
import { DataErrorEntityManager } from '../../postgres/orm/data-errors/data-error-entity-manager.ts';
import { ChangeKeepingFactory } from '../../postgres/patches/orm/change-keeping-factory.ts';
import { closedTransaction } from '../../postgres/patches/orm/closed-transaction.ts';
import { runInner } from './inner-unit.ts';
import { flushKeepingChanges, unflushedEntities } from '../../postgres/patches/orm/mid-flush-changes.ts';
import { endedError, connectionOutsideUnitError, transactionControlError } from './usage-errors.ts';
import { sealMethods } from './seal-methods.ts';
import type { UnitGate } from './unit-gate.ts';

/**
 * The ORM's entity manager as a handle of a unit of work: its calls, and those of its forks, pass the gate of the unit. Reading and
 * flushing keep unflushed changes of our entities.
 */
export class UnitEntityManager extends DataErrorEntityManager {
  #gate: UnitGate | undefined;

  static {
    sealMethods(this.prototype);
  }

  /**
   * Returns a fresh manager of `orm`. It is not made by the ORM's option `entityManager`, which frameworks use for injection, and not by a
   * fork: inside an inner unit of work, a fork of the ORM's manager is one of the inner unit.
   */
  static of(orm: MikroORM): UnitEntityManager {
    const { em, config } = orm;
    const fresh = new UnitEntityManager(
      config,
      em.getDriver(),
      em.getMetadata(),
      false,
      em.getEventManager(),
    );
    ChangeKeepingFactory.adopt(fresh);
    return fresh;
  }

  /** Returns the gate of the unit of work that `em` belongs to; undefined when it belongs to none. */
  static gateOf(em: EntityManager): UnitGate | undefined {
    return em instanceof UnitEntityManager ? em.gate : undefined;
  }

  get gate(): UnitGate | undefined {
    return this.#gate;
  }

  /** Makes this manager a handle of the unit of work of `gate`. */
  join(gate: UnitGate, transaction?: ControlledTransaction<unknown>): void {
    this.#gate = gate;
    if (transaction) this.setTransactionContext(transaction);
  }

  /** Makes this manager, which has no transaction, refuse all statements from now on. */
  close(): void {
    this.setTransactionContext(closed);
  }

  override fork(options: Parameters<EntityManager['fork']>[0] = {}): this {
    const gate = this.#gate;
    gate?.check('em.fork');
    const fork = super.fork(gate ? { ...options, keepTransactionContext: true } : options);
    ChangeKeepingFactory.adopt(fork);
    fork.#gate = gate;
    return fork;
  }

  override map<E extends object>(
    entity: EntityName<E>,
    row: EntityDictionary<E>,
    options?: Parameters<EntityManager['map']>[2],
  ): E {
    // With `cascade`, the ORM would treat unflushed values as stored ones.
    return super.map(entity, row, Object.assign({ cascade: false }, options));
  }

  // Returns the promise that the gate has recorded.
  override flush(): Promise<void> {
    const flush = async (): Promise<void> => void (await this.#flush());
    return this.#gate ? this.#gate.call('em.flush', flush) : flush();
  }

  /**
   * Flushes at the end of the unit of work. Returns the names of entities that code which was not awaited changed meanwhile, so that some
   * of their changes are not written.
   */
  async flushAtEnd(): Promise<string[]> {
    return (await this.#flush()) ? unflushedEntities(this) : [];
  }

  /** Whether it has no entity, so that there is nothing to flush. */
  get isEmpty(): boolean {
    const uow = this.getUnitOfWork(false);
    return (
      uow.getPersistStack().size + uow.getRemoveStack().size === 0 &&
      uow.getIdentityMap()[Symbol.iterator]().next().done === true
    );
  }

  // Every read flushes first, and most have nothing to flush; the ORM would go through all of a flush.
  async #flush(): Promise<boolean> {
    return this.isEmpty ? false : flushKeepingChanges(this, () => super.flush());
  }

  /** Runs `work` in a savepoint, as the unit's `transact` does, where the manager belongs to a unit of work. */
  override transactional<T>(
    work: (em: this) => T | Promise<T>,
    options: Parameters<EntityManager['transactional']>[1] = {},
  ): Promise<T> {
    if (!this.#gate) return super.transactional(work, options);
    const { propagation, ctx, ...others } = options;
    if (propagation !== undefined || ctx !== undefined)
      return Promise.reject(transactionControlError('`propagation` or `ctx` of em.transactional'));
    return runInner(this, this.#gate, async (em) => work(em), others);
  }

  /** Runs the ORM's own `transactional`. */
  withSavepoint<T>(
    work: (em: this) => Promise<T>,
    options?: Parameters<EntityManager['transactional']>[1],
  ): Promise<T> {
    return super.transactional(work, options);
  }

  override async begin(options?: Parameters<EntityManager['begin']>[0]): Promise<void> {
    this.#refuse('em.begin');
    return super.begin(options);
  }

  override async commit(): Promise<void> {
    this.#refuse('em.commit');
    return super.commit();
  }

  override async rollback(): Promise<void> {
    this.#refuse('em.rollback');
    return super.rollback();
  }

  /** Returns the ORM's connection, which belongs to no unit of work. */
  override getConnection(
    ...given: Parameters<EntityManager['getConnection']>
  ): ReturnType<EntityManager['getConnection']> {
    if (this.#gate && !this.#gate.runningPart) {
      this.#gate.check('em.getConnection');
      throw connectionOutsideUnitError();
    }
    return super.getConnection(...given);
  }

  #refuse(what: string): void {
    if (!this.#gate) return;
    this.#gate.check(what);
    throw transactionControlError(what);
  }
}

// The ORM sends statements by the transaction of a manager if it has one, and otherwise through the pool.
const closed = closedTransaction(() => {
  throw endedError('a statement');
});
