import type { EntityManager, TransactionOptions } from '@mikro-orm/postgresql';
import type { ControlledTransaction } from 'kysely';
import { ReadOnlyError } from '../../errors.ts';
import { toDataError } from '../../postgres/errors/translate-error.ts';
import { gatedTransaction } from '../../postgres/patches/gated-transaction.ts';
import { snapshotIdentityMap } from '../../postgres/patches/identity-map-snapshot.ts';
import { concurrent, innerUnitIsRunning, transactionControlError } from './usage-errors.ts';
import type { UnitGate } from './unit-gate.ts';

/** The entity manager of a unit of work. */
interface Manager extends EntityManager {
  /** Makes it a handle of the unit of work behind `gate`. */
  join(gate: UnitGate, transaction?: ControlledTransaction<unknown>): void;
  /** Runs `work` with a fork, behind a savepoint. */
  withSavepoint<T>(work: (em: this) => Promise<T>, options?: TransactionOptions): Promise<T>;
}

/** Runs `work` behind a savepoint of the unit of work of `em`, which refuses other calls meanwhile. Errors are translated. */
export function runInner<EM extends Manager, T>(
  em: EM,
  outer: UnitGate,
  work: (em: EM) => Promise<T>,
  options?: TransactionOptions,
): Promise<T> {
  if (!outer.connection)
    return Promise.reject(
      new ReadOnlyError(
        'a savepoint needs a transaction, which a read has not: use the `transact` of the database',
      ),
    );
  return outer.runInner(async (inner) => {
    await em.flush();
    const loaded = snapshotIdentityMap(em, () => inner.isCurrent);
    try {
      const result = await em.withSavepoint((fork) => runWork(fork, inner, work), options);
      loaded.keep();
      return result;
    } catch (error) {
      loaded.restore();
      throw toDataError(error);
    }
  });
}

const running = new WeakSet<EntityManager>();

/** Runs `work` behind a savepoint in a transaction of a service's own MikroORM, which has no gate. */
export async function runUngated<T>(em: EntityManager, work: (em: EntityManager) => Promise<T>): Promise<T> {
  // They share a connection: a failure of one would roll back the changes of the others.
  if (running.has(em)) throw concurrent(innerUnitIsRunning);
  running.add(em);
  try {
    await em.flush();
    const loaded = snapshotIdentityMap(em, () => true);
    try {
      const result = await em.transactional(work);
      loaded.keep();
      return result;
    } catch (error) {
      loaded.restore();
      throw error;
    }
  } catch (error) {
    throw toDataError(error);
  } finally {
    running.delete(em);
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
