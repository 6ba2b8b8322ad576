import { TransactionEventBroadcaster, type EntityManager } from '@mikro-orm/core';
import type { ControlledTransaction } from 'kysely';
import { CommitUnknownError, UnfinishedWorkError } from '../../errors.ts';
import type { LocalSettings } from '../../postgres/client/local-settings.ts';
import type { RunningUnit } from './running-unit.ts';
import type { TxClient } from '../../postgres/client/tx-client.ts';
import { UnitOfWork } from './unit-of-work.ts';
import { gatedTransaction } from '../../postgres/patches/orm/gated-transaction.ts';
import { transactionControlError } from './usage-errors.ts';
import { UnitConnection } from './unit-connection.ts';
import type { UnitEntityManager } from './unit-entity-manager.ts';
import { UnitGate } from './unit-gate.ts';

/**
 * Runs `work` in a new transaction, with its own settings. Rejects early when `unit` is interrupted or the connection is lost, also
 * while `work` waits for something else; statements that `work` sends later fail.
 *
 * It does not use `em.transactional`, which would fork the fresh manager again and enter an asynchronous context that is not needed.
 */
export async function runTransaction<T>(
  em: UnitEntityManager,
  work: (uow: UnitOfWork) => Promise<T>,
  options: Parameters<EntityManager['begin']>[0],
  { unit, local }: { readonly unit: RunningUnit; readonly local: LocalSettings | null },
): Promise<T> {
  // The ORM's own connection. Once the manager belongs to the unit, it refuses this.
  const connection = em.getConnection('write');
  const { gate, transaction, client } = await begin(em, options, unit);
  let isWorking = false;
  const runWork = async (): Promise<T> => {
    isWorking = true;
    try {
      return await work(new UnitOfWork(em));
    } finally {
      isWorking = false;
    }
  };
  try {
    return await unit.onClient(client, async () => {
      if (unit.interruption) throw unit.interruption.reason;
      if (local) {
        if (local.statementTimeout !== undefined) client.extendAnswerTimeout(local.statementTimeout);
        await unit.unlessInterrupted(em.getKysely().executeQuery(local.query));
      }
      const result = await unit.unlessInterrupted(runWork());
      await finish(gate, em, unit);
      await connection.commit(transaction, new TransactionEventBroadcaster(em));
      return result;
    });
  } catch (error) {
    // The error of the work is thrown, not that of the rollback. While the work is still running, its connection was dropped already.
    if (!isWorking) {
      if (!unit.interruption) await gate.close();
      gate.end();
      await connection.rollback(transaction, new TransactionEventBroadcaster(em)).catch(() => {});
    }
    gate.end();
    // An interruption explains the other errors, unless the commit was sent.
    if (unit.interruption && !(error instanceof CommitUnknownError)) throw unit.interruption.reason;
    throw error;
  }
}

/**
 * Ends the unit of work before its commit: refuses further calls, and flushes the changes.
 *
 * @throws UnfinishedWorkError when calls are still running, or code that was not awaited changes entities meanwhile.
 */
async function finish(gate: UnitGate, em: UnitEntityManager, unit: RunningUnit): Promise<void> {
  const running = gate.close();
  if (running) await unit.unlessInterrupted(running.then(refuseUnfinished));
  if (!em.isEmpty) {
    const changed = await gate.runAs('end', () => em.flushAtEnd());
    refuseUnfinished(changed.map((name) => `an assignment to ${name}`));
  }
  // After a failed statement whose error `work` caught, the server has yet to report the transaction's status.
  if (gate.connection) await unit.unlessInterrupted(gate.connection.client.idle());
  gate.connection?.checkTransaction();
  gate.end();
}

function refuseUnfinished(running: readonly string[]): void {
  if (running.length > 0) throw new UnfinishedWorkError(running);
}

interface BegunTransaction {
  readonly gate: UnitGate;
  readonly client: TxClient;
  /** The transaction as the ORM began it. It sends commit and rollback only. */
  readonly transaction: ControlledTransaction<unknown>;
}

async function begin(
  em: UnitEntityManager,
  options: Parameters<EntityManager['begin']>[0],
  unit: RunningUnit,
): Promise<BegunTransaction> {
  const beginning = em.begin(options);
  try {
    await unit.unlessInterrupted(beginning);
  } catch (error) {
    // A connection that arrives too late is returned unused.
    void beginning.then(() => em.rollback()).catch(() => {});
    throw error;
  }
  const transaction = em.getTransactionContext<ControlledTransaction<unknown>>();
  if (!transaction) throw new Error('the ORM began no transaction');
  const connection = await UnitConnection.of(transaction.getExecutor());
  const gate = new UnitGate(connection);
  em.join(gate, gatedTransaction(gate, transaction, transactionControlError));
  return { gate, transaction, client: connection.client };
}
