import type { MikroORM, Transaction } from '@mikro-orm/postgresql';
import { CompiledQuery } from 'kysely';

/** A connection of the ORM's pool, or several of them: texts and their parameters go in, rows come out. */
export interface Session {
  /** A text without parameters may hold several statements. */
  query<Row extends object = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
  ): Promise<Row[]>;
}

/** Statements that stand alone, each on whichever connection is free. */
export function poolSession(orm: MikroORM): Session {
  return {
    async query<Row extends object>(text: string, values: readonly unknown[] = []) {
      const connection = orm.em.getConnection();
      await connection.ensureConnection();
      // By the ORM's own client: of a pool that only others used it does not know, and would not end it.
      return (await connection.getClient().executeQuery<Row>(CompiledQuery.raw(text, [...values]))).rows;
    },
  };
}

/** A session in a transaction, and the transaction itself as the ORM knows it. */
export interface TransactionSession extends Session {
  readonly transaction: Transaction;
}

/** What a transaction is begun with. */
export const beginStatement = 'start transaction isolation level read committed';

/**
 * Runs `work` in a transaction: committed when it returns, rolled back when it throws. READ COMMITTED whatever the role's default is:
 * one that keeps a snapshot would hold up an index that is built concurrently, and could not lock what changed since.
 */
export async function inTransaction<T>(
  orm: MikroORM,
  work: (session: TransactionSession) => Promise<T>,
): Promise<T> {
  const connection = orm.em.getConnection();
  await connection.ensureConnection();
  // The transaction alone would keep its connection, and a slot of the pool, when the server ends it on the way.
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
        // Why the work failed matters, not that its connection is gone too.
        await transaction
          .rollback()
          .execute()
          .catch(() => {});
        throw error;
      }
    });
}
