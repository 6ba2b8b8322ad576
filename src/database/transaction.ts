import type { EntityManager } from '@mikro-orm/postgresql';
import { CompiledQuery, type Transaction } from 'kysely';
import { CommitUnknownError } from '../errors.ts';
import type { LocalSettings } from './local-settings.ts';
import type { RunningUnit } from './running-unit.ts';
import { whoServes, type TxClient } from './tx-client.ts';
import { UnitOfWork } from './unit-of-work.ts';

/**
 * Runs `work` in a transaction of its own, with settings that end with it. It ends early when `unit` is interrupted or the connection
 * is lost, also while `work` still waits for something else; what `work` sends later fails.
 *
 * By hand rather than by `em.transactional`, which forks the fresh manager once more and enters a context that nobody asks for.
 */
export async function inTransaction<T>(
  em: EntityManager,
  work: (uow: UnitOfWork) => Promise<T>,
  options: Parameters<EntityManager['begin']>[0],
  { unit, local }: { readonly unit: RunningUnit; readonly local: LocalSettings | null },
): Promise<T> {
  const client = await begin(em, options, unit);
  let isAtWork = false;
  const atWork = async (): Promise<T> => {
    isAtWork = true;
    try {
      return await work(new UnitOfWork(em));
    } finally {
      isAtWork = false;
    }
  };
  try {
    return await unit.onClient(client, async () => {
      if (unit.interruption) throw unit.interruption.reason;
      if (local) {
        if (local.statementTimeout !== undefined) client.bearWith(local.statementTimeout);
        await unit.unlessInterrupted(em.getKysely().executeQuery(local.query));
      }
      const result = await unit.unlessInterrupted(atWork());
      await em.commit();
      return result;
    });
  } catch (error) {
    // Why the work failed matters, not that its connection is gone too. While the work goes on, the ORM must go on to take it for one
    // in a transaction, lest it sends a statement outside of any. Its connection is gone then.
    if (!isAtWork) await em.rollback().catch(() => {});
    // What the interruption made fail fails by it, unless the commit was on its way.
    if (unit.interruption && !(error instanceof CommitUnknownError)) throw unit.interruption.reason;
    throw error;
  }
}

async function begin(
  em: EntityManager,
  options: Parameters<EntityManager['begin']>[0],
  unit: RunningUnit,
): Promise<TxClient> {
  const begun = em.begin(options);
  try {
    await unit.unlessInterrupted(begun);
  } catch (error) {
    // A connection that comes too late goes back as it came.
    void begun.then(() => em.rollback()).catch(() => {});
    throw error;
  }
  const transaction = em.getTransactionContext<Transaction<unknown>>();
  const answer = await transaction?.executeQuery<{ client: TxClient }>(CompiledQuery.raw(whoServes));
  const client = answer?.rows[0]?.client;
  if (!client) throw new Error('the ORM was configured with another client');
  return client;
}
