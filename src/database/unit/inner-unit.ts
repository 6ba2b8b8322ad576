import type { EntityManager } from '@mikro-orm/postgresql';
import type { ControlledTransaction } from 'kysely';
import { rememberLoaded } from '../loaded-entities.ts';
import type { UnitEntityManager } from './unit-entity-manager.ts';

/** Runs `work` behind a savepoint of the unit of work of `em`; it alone uses the unit until it has ended. */
export async function runInner<T>(given: EntityManager, work: (em: EntityManager) => Promise<T>): Promise<T> {
  // Here rather than by `instanceof`: the module of the class needs this one.
  const em = given as UnitEntityManager;
  const outer = em.gate;
  if (!outer) return em.transactional(work as never) as Promise<T>;
  const inner = await outer.enter();
  try {
    return await inner.ending(async () => {
      await em.flush();
      const restore = rememberLoaded(em, () => inner.isAround);
      try {
        const result = await em.transactional(async (given: unknown) => {
          const fork = given as UnitEntityManager;
          inner.bind(
            fork.getTransactionContext<ControlledTransaction<unknown>>() as ControlledTransaction<unknown>,
          );
          fork.join(inner);
          const settled = await inner.inside(() => Promise.allSettled([work(fork)]));
          const [outcome] = settled;
          if (outcome.status === 'rejected') {
            await inner.seal();
            throw outcome.reason;
          }
          await inner.sealFinished();
          return outcome.value;
        });
        restore.keep();
        return result as T;
      } catch (error) {
        restore.back();
        throw error;
      }
    });
  } finally {
    outer.leave(inner);
  }
}
