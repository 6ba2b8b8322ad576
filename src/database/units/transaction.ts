import { TransactionEventBroadcaster, type EntityManager } from '@mikro-orm/core';
import type { ControlledTransaction } from 'kysely';
import { CommitUnknownError, UnfinishedWorkError } from '../../errors.ts';
import type { LocalSettings } from '../../postgres/client/local-settings.ts';
import type { RunningUnit } from './running-unit.ts';
import type { TxClient } from '../../postgres/client/tx-client.ts';
import { UnitOfWork } from './unit-of-work.ts';
import { gatedTransaction } from '../../postgres/patches/gated-transaction.ts';
import { transactionControl } from './refusals.ts';
import { runAs } from './scope.ts';
import { UnitConnection } from './unit-connection.ts';
import type { UnitEntityManager } from './unit-entity-manager.ts';
import { UnitGate } from './unit-gate.ts';

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
  // Of the ORM's own, before the manager belongs to the unit.
  const connection = em.getConnection('write');
  const { gate, begun, client } = await begin(em, options, unit);
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
      await finish(gate, em, unit);
      await connection.commit(begun, new TransactionEventBroadcaster(em));
      return result;
    });
  } catch (error) {
    // Why the work failed matters, not that its connection is gone too. Where the work goes on still, its connection is gone.
    if (!isAtWork) {
      if (!unit.interruption) await gate.close();
      gate.end();
      await connection.rollback(begun, new TransactionEventBroadcaster(em)).catch(() => {});
    }
    gate.end();
    // What the interruption made fail fails by it, unless the commit was on its way.
    if (unit.interruption && !(error instanceof CommitUnknownError)) throw unit.interruption.reason;
    throw error;
  }
}

/**
 * Ends the unit of work before its commit: nothing of it may run any more, and all that was changed is written.
 *
 * @throws UnfinishedWorkError
 */
async function finish(gate: UnitGate, em: UnitEntityManager, unit: RunningUnit): Promise<void> {
  const running = gate.close();
  if (running) await unit.unlessInterrupted(running.then(refuseUnfinished));
  if (!em.isEmpty) {
    const changed = await runAs('end', gate, () => em.flushAtEnd());
    refuseUnfinished(changed.map((name) => `an assignment to ${name}`));
  }
  // After a statement that failed, and whose error `work` caught, the server has yet to say how the transaction is.
  if (gate.connection) await unit.unlessInterrupted(gate.connection.client.idle());
  gate.connection?.checkTransaction();
  gate.end();
}

function refuseUnfinished(running: readonly string[]): void {
  if (running.length > 0) throw new UnfinishedWorkError(running);
}

interface Begun {
  readonly gate: UnitGate;
  readonly client: TxClient;
  /** The transaction as the ORM began it. Only its end is sent by it. */
  readonly begun: ControlledTransaction<unknown>;
}

async function begin(
  em: UnitEntityManager,
  options: Parameters<EntityManager['begin']>[0],
  unit: RunningUnit,
): Promise<Begun> {
  const beginning = em.begin(options);
  try {
    await unit.unlessInterrupted(beginning);
  } catch (error) {
    // A connection that comes too late goes back as it came.
    void beginning.then(() => em.rollback()).catch(() => {});
    throw error;
  }
  const begun = em.getTransactionContext<ControlledTransaction<unknown>>();
  if (!begun) throw new Error('the ORM began no transaction');
  const connection = await UnitConnection.of(begun.getExecutor());
  const gate = new UnitGate(connection);
  em.join(gate, gatedTransaction(gate, begun, transactionControl));
  return { gate, begun, client: connection.client };
}
