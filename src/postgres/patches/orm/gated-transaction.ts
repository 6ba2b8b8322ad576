import { CompiledQuery, ControlledTransaction, type ConnectionProvider, type Kysely } from 'kysely';

/**
 * Returns Kysely's handle of a transaction that the ORM began. Its statements pass `gate`. It creates savepoints, but can't end the
 * transaction: such a call rejects with the error that `refusal` returns for it.
 */
export function gatedTransaction(
  gate: ConnectionProvider,
  begun: Kysely<unknown>,
  refusal: (call: string) => Error,
): ControlledTransaction<unknown> {
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
      commitTransaction: () => Promise.reject(refusal('`commit()`')),
      rollbackTransaction: () => Promise.reject(refusal('`rollback()`')),
      savepoint: send('savepoint'),
      rollbackToSavepoint: send('rollback to'),
      releaseSavepoint: send('release'),
    },
    executor: begun.getExecutor().withConnectionProvider(gate),
    connection: { connection: {}, release: () => {} },
  };
  // A transaction uses nothing else of its configuration and driver.
  const transaction = new ControlledTransaction<unknown>(
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    parts as unknown as ConstructorParameters<typeof ControlledTransaction<unknown>>[0],
  );
  // The ORM numbers its savepoints by it. Of two savepoints with the same name, a rollback would find only the inner one.
  if ('index' in begun) Reflect.defineProperty(transaction, 'index', { value: begun.index });
  return transaction;
}
