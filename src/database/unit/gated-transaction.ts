import { CompiledQuery, ControlledTransaction, type Kysely } from 'kysely';
import { transactionControl } from './refusals.ts';
import type { UnitGate } from './unit-gate.ts';

/** Kysely's handle of a transaction that the ORM began, whose statements pass `gate`. It makes savepoints, and can't end the transaction. */
export function gatedTransaction(gate: UnitGate, begun: Kysely<unknown>): ControlledTransaction<unknown> {
  const send =
    (command: string) =>
    async (_connection: unknown, savepoint: string): Promise<void> => {
      const sql = `${command} "${savepoint.replaceAll('"', '""')}"`;
      await gate.provideConnection((connection) => connection.executeQuery(CompiledQuery.raw(sql)));
    };
  const parts = {
    config: {},
    dialect: {},
    driver: {
      commitTransaction: () => Promise.reject(transactionControl('`commit()`')),
      rollbackTransaction: () => Promise.reject(transactionControl('`rollback()`')),
      savepoint: send('savepoint'),
      rollbackToSavepoint: send('rollback to'),
      releaseSavepoint: send('release'),
    },
    executor: begun.getExecutor().withConnectionProvider(gate),
    connection: { connection: {}, release: () => {} },
  };
  // A transaction uses nothing else of its configuration and driver; test/database/unit/gated-transaction.test.ts fails when it does.
  const transaction = new ControlledTransaction<unknown>(
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    parts as unknown as ConstructorParameters<typeof ControlledTransaction<unknown>>[0],
  );
  // The ORM numbers its savepoints by it: of two with one name, a rollback would find the inner one alone.
  if ('index' in begun) Reflect.defineProperty(transaction, 'index', { value: begun.index });
  return transaction;
}
