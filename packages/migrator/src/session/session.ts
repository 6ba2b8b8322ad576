import type { MikroORM } from '@mikro-orm/postgresql';
import { CompiledQuery, type ControlledTransaction } from 'kysely';

/** Runs queries on one or more connections. */
export interface Session {
  /** Runs a query and returns its rows. A text without parameters may contain several statements. */
  query<Row extends object = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
  ): Promise<Row[]>;
}

/** Returns a session that runs each query on any free connection of the pool. */
export function poolSession(orm: MikroORM): Session {
  return {
    async query<Row extends object>(text: string, values: readonly unknown[] = []) {
      const connection = orm.em.getConnection();
      await connection.ensureConnection();
      // Through the ORM's client: the ORM does not close a pool that it has not used.
      return (await connection.getClient().executeQuery<Row>(CompiledQuery.raw(text, [...values]))).rows;
    },
  };
}

/** A session in a transaction, and the ORM's transaction object. */
export interface TransactionSession extends Session {
  readonly transaction: ControlledTransaction<unknown>;
}

/** The statement that begins a transaction. */
export const beginStatement = 'start transaction isolation level read committed';

/**
 * Runs `work` in a transaction: commits when it returns, rolls back when it throws. Always READ COMMITTED: a transaction that keeps a
 * snapshot would block `create index concurrently`, and could not lock rows that changed since.
 */
export async function inTransaction<T>(
  orm: MikroORM,
  work: (session: TransactionSession) => Promise<T>,
): Promise<T> {
  const connection = orm.em.getConnection();
  await connection.ensureConnection();
  // Without `connection()`, a transaction whose connection the server closes would never return its slot of the pool.
  return connection
    .getClient()
    .connection()
    .execute(async (db) => {
      const transaction = await db.startTransaction().setIsolationLevel('read committed').execute();
      try {
        const result = await work({
          transaction,
          query: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
            (await transaction.executeQuery<Row>(CompiledQuery.raw(text, [...values]))).rows,
        });
        await transaction.commit().execute();
        return result;
      } catch (error) {
        // The first error is the cause; a lost connection makes the rollback fail too.
        await transaction
          .rollback()
          .execute()
          .catch(() => {});
        throw error;
      }
    });
}
