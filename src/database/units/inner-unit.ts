import type { EntityManager, TransactionOptions } from '@mikro-orm/postgresql';
import type { ControlledTransaction } from 'kysely';
import { ReadOnlyError } from '../../errors.ts';
import { toDataError } from '../../postgres/errors/translate-error.ts';
import { gatedTransaction } from '../../postgres/patches/orm/gated-transaction.ts';
import { snapshotIdentityMap } from '../../postgres/patches/orm/identity-map-snapshot.ts';
import { concurrentUseError, innerUnitIsRunning, transactionControlError } from './usage-errors.ts';
import type { UnitGate } from './unit-gate.ts';

/** The entity manager of a unit of work. */
interface Manager extends EntityManager {
  /** Makes it a handle of the unit of work behind `gate`. */
  join(gate: UnitGate, transaction?: ControlledTransaction<unknown>): void;
  /** Runs `work` with a fork, in a savepoint. */
  withSavepoint<T>(work: (em: this) => Promise<T>, options?: TransactionOptions): Promise<T>;
}

/**
 * Runs `work` in a savepoint of the unit of work of `em`, which refuses other calls meanwhile. When `work` throws, rolls back to the
 * savepoint and restores the loaded entities. Errors are translated.
 */
export function runInner<EM extends Manager, T>(
  em: EM,
  outer: UnitGate,
  work: (em: EM) => Promise<T>,
  options?: TransactionOptions,
): Promise<T> {
  if (!outer.connection)
    return Promise.reject(
      new ReadOnlyError('a savepoint needs a transaction: use `transact` of the database instead of `read`'),
    );
  return outer.runInner(async (inner) => {
    await em.flush();
    const snapshot = snapshotIdentityMap(em, () => inner.isCurrent);
    try {
      const result = await em.withSavepoint((fork) => runWork(fork, inner, work), options);
      snapshot.discard();
      return result;
    } catch (error) {
      snapshot.restore();
      throw toDataError(error);
    }
  });
}

const runningManagers = new WeakSet<EntityManager>();

/** Runs `work` in a savepoint, for a service's own MikroORM, which has no gate. */
export async function runUngated<T>(em: EntityManager, work: (em: EntityManager) => Promise<T>): Promise<T> {
  // Concurrent savepoints share a connection: rolling back one would roll back the changes of the others.
  if (runningManagers.has(em)) throw concurrentUseError(innerUnitIsRunning);
  runningManagers.add(em);
  try {
    await em.flush();
    const snapshot = snapshotIdentityMap(em, () => true);
    try {
      const result = await em.transactional(work);
      snapshot.discard();
      return result;
    } catch (error) {
      snapshot.restore();
      throw error;
    }
  } catch (error) {
    throw toDataError(error);
  } finally {
    runningManagers.delete(em);
  }
}

async function runWork<EM extends Manager, T>(
  em: EM,
  inner: UnitGate,
  work: (em: EM) => Promise<T>,
): Promise<T> {
  em.join(inner, gatedTransaction(inner, em.getKysely(), transactionControlError));
  const [outcome] = await inner.runAs('work', () => Promise.allSettled([work(em)]));
  if (outcome.status === 'rejected') {
    await inner.close();
    throw outcome.reason;
  }
  await inner.closeOrThrow();
  return outcome.value;
}
