import type { EntityManager } from '@mikro-orm/postgresql';
import { TransactionEventBroadcaster } from '@mikro-orm/core';
import type { ControlledTransaction } from 'kysely';
import { CommitUnknownError } from '../errors.ts';
import type { LocalSettings } from './local-settings.ts';
import type { RunningUnit } from './running-unit.ts';
import { UnitOfWork } from './unit-of-work.ts';
import type { UnitEntityManager } from './unit/unit-entity-manager.ts';
import { UnitGate } from './unit/unit-gate.ts';

/**
 * Runs `work` in a transaction of its own, with settings that end with it. It ends early when `unit` is interrupted or the connection
 * is lost, also while `work` still waits for something else; what `work` sends later fails.
 *
 * By hand rather than by `em.transactional`, which forks the fresh manager once more and enters a context that nobody asks for.
 */
export async function inTransaction<T>(
  em: UnitEntityManager,
  work: (uow: UnitOfWork) => Promise<T>,
  options: Parameters<EntityManager['begin']>[0],
  { unit, local }: { readonly unit: RunningUnit; readonly local: LocalSettings | null },
): Promise<T> {
  const { gate, origin } = await begin(em, options, unit);
  const { client } = gate;
  const connection = em.getConnection('write');
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
      if (!gate.sealIdle()) await unit.unlessInterrupted(gate.sealFinished());
      await gate.ending(() => em.flush());
      gate.end();
      await connection.commit(origin, new TransactionEventBroadcaster(em));
      return result;
    });
  } catch (error) {
    // Why the work failed matters, not that its connection is gone too. Where the work goes on still, its connection is gone.
    if (!isAtWork) {
      if (!unit.interruption && !gate.sealIdle()) await gate.seal();
      gate.end();
      await connection.rollback(origin, new TransactionEventBroadcaster(em)).catch(() => {});
    }
    gate.end();
    // What the interruption made fail fails by it, unless the commit was on its way.
    if (unit.interruption && !(error instanceof CommitUnknownError)) throw unit.interruption.reason;
    throw error;
  }
}

async function begin(
  em: UnitEntityManager,
  options: Parameters<EntityManager['begin']>[0],
  unit: RunningUnit,
): Promise<{ gate: UnitGate; origin: ControlledTransaction<unknown> }> {
  const begun = em.begin(options);
  try {
    await unit.unlessInterrupted(begun);
  } catch (error) {
    // A connection that comes too late goes back as it came.
    void begun.then(() => em.rollback()).catch(() => {});
    throw error;
  }
  const origin = em.getTransactionContext<ControlledTransaction<unknown>>();
  if (!origin) throw new Error('the ORM began no transaction');
  const gate = await UnitGate.before(origin);
  em.join(gate);
  return { gate, origin };
}
