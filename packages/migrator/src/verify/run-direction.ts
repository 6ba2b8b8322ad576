import type { MikroORM } from '@mikro-orm/postgresql';
import type { Direction, LoadedMigration } from '../files/code-migration.ts';
import { guardedTransaction } from '../session/guarded-transaction.ts';
import { onOwnConnection } from '../session/own-connection.ts';
import { withSessionRestored } from '../session/restore-session.ts';
import { inTransaction, type TransactionSession } from '../session/session.ts';

/** How a direction of a migration failed. */
export interface DirectionFailure {
  readonly error: unknown;
  /** The statement; empty when code failed, or a check at the commit. */
  readonly sql: string;
}

/**
 * Runs a direction of a migration on a copy, as the runner does: in one transaction, or statement by statement. Returns how it failed; null
 * when it succeeded. Keeps no books.
 */
export async function runDirection(
  orm: MikroORM,
  migration: LoadedMigration,
  direction: Direction,
): Promise<DirectionFailure | null> {
  const at = { sql: '' };
  try {
    if (migration.transactional)
      await inTransaction(orm, async (session) => {
        const statements = await migration.emit(direction);
        await withSessionRestored(session, [...(statements ?? [])], () =>
          send(session, migration, direction, at),
        );
        at.sql = '';
      });
    else
      await onOwnConnection(orm, async (session) => {
        const statements =
          (await migration.emit(direction)) ?? (await migration.call(direction, allow, () => {})).statements;
        for (const sql of statements) {
          at.sql = sql;
          await session.query(sql);
        }
      });
    return null;
  } catch (error) {
    return { error, sql: at.sql };
  }
}

/** Runs a direction of a transactional migration after `prepare`, and rolls both back. Returns how it failed; null when it would succeed. */
export async function tryDirection(
  orm: MikroORM,
  migration: LoadedMigration,
  direction: Direction,
  prepare: (session: TransactionSession) => Promise<void>,
): Promise<DirectionFailure | null> {
  const at = { sql: '' };
  const done = new Error('rolled back on purpose');
  try {
    await inTransaction(orm, async (session) => {
      await prepare(session);
      await send(session, migration, direction, at);
      at.sql = '';
      await session.query('set constraints all immediate');
      throw done;
    });
  } catch (error) {
    return error === done ? null : { error, sql: at.sql };
  }
  return null;
}

async function allow(): Promise<void> {}

async function send(
  session: TransactionSession,
  migration: LoadedMigration,
  direction: Direction,
  at: { sql: string },
): Promise<void> {
  const statements =
    (await migration.emit(direction)) ??
    (
      await migration.call(direction, allow, (instance, guarded) =>
        instance.setTransactionContext(guardedTransaction(session.transaction, guarded)),
      )
    ).statements;
  for (const sql of statements) {
    at.sql = sql;
    await session.query(sql);
  }
}
