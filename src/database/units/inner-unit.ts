import type { EntityManager } from '@mikro-orm/postgresql';
import { ReadOnlyError } from '../../errors.ts';
import { toDataError } from '../../postgres/errors/translate-error.ts';
import { gatedTransaction } from '../../postgres/patches/gated-transaction.ts';
import { rememberLoaded } from '../../postgres/patches/loaded-entities.ts';
import { concurrent, innerRuns, transactionControl } from './refusals.ts';
import { isInside, runAs } from './scope.ts';
import type { UnitEntityManager } from './unit-entity-manager.ts';
import type { UnitGate } from './unit-gate.ts';

/** Runs `work` behind a savepoint of the unit of work of `em`, which nobody else uses meanwhile. */
export function runInner<Manager extends UnitEntityManager, T>(
  em: Manager,
  outer: UnitGate,
  work: (em: Manager) => Promise<T>,
  options?: Parameters<UnitEntityManager['behindSavepoint']>[1],
): Promise<T> {
  if (!outer.connection)
    return Promise.reject(
      new ReadOnlyError('a savepoint would be made outside `transact`: reads have no transaction'),
    );
  return outer.within(async (inner) => {
    await em.flush();
    const loaded = rememberLoaded(em, () => isInside(inner));
    try {
      const result = await em.behindSavepoint((fork) => runWork(fork, inner, work), options);
      loaded.keep();
      return result;
    } catch (error) {
      loaded.restore();
      throw toDataError(error);
    }
  });
}

const running = new WeakSet<EntityManager>();

/** The same in a transaction of a service's own MikroORM, which has no gate. */
export async function runUngated<T>(em: EntityManager, work: (em: EntityManager) => Promise<T>): Promise<T> {
  // They share a connection: one that failed would roll back what the others wrote.
  if (running.has(em)) throw concurrent(innerRuns);
  running.add(em);
  try {
    await em.flush();
    const loaded = rememberLoaded(em, () => true);
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

async function runWork<Manager extends UnitEntityManager, T>(
  em: Manager,
  inner: UnitGate,
  work: (em: Manager) => Promise<T>,
): Promise<T> {
  em.join(inner, gatedTransaction(inner, em.getKysely(), transactionControl));
  const [outcome] = await runAs('work', inner, () => Promise.allSettled([work(em)]));
  if (outcome.status === 'rejected') {
    await inner.close();
    throw outcome.reason;
  }
  await inner.closeFinished();
  return outcome.value;
}
