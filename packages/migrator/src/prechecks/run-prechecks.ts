import type { MikroORM } from '@mikro-orm/postgresql';
import { isNativeError } from 'node:util/types';
import type { Direction, LoadedMigration } from '../files/code-migration.ts';
import type { Progress } from '../ledger/state.ts';
import { MigratorError } from '../session/errors.ts';
import { disableTransactionTimeouts } from '../session/session-settings.ts';
import { inTransaction, poolSession, type Session } from '../session/session.ts';
import { parseSql } from '../sql/parse-sql.ts';
import { Changes } from './rows/changes.ts';
import { count, type Counted } from './count.ts';
import { deriveScans } from './scans/derive.ts';
import { recordEffects } from './effects.ts';
import { handPrechecks } from './hand-prechecks.ts';
import type { Precheck } from './rows/precheck.ts';
import type { Context } from './rows/rows-for.ts';
import { inSavepoint } from './rows/savepoint.ts';

/** One direction of a migration that is about to run. */
interface PendingStep {
  readonly migration: LoadedMigration;
  readonly direction: Direction;
  /** Null when they are not known. */
  readonly statements: readonly string[] | null;
}

/** How to count. */
export interface PrecheckOptions {
  /** For how long one query may count, in milliseconds; 0 for no limit. Default 30,000. */
  readonly precheckTimeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What interrupted runs have done already. */
  readonly progress: readonly Progress[];
  readonly onEvent?: ((event: { readonly kind: 'prechecking'; readonly name: string }) => void) | undefined;
}

/**
 * Counts what the statements of steps would fail on, on the rows of the database, in one read-only transaction with one snapshot, which is
 * rolled back. What can't be known before the run is `unknown`: nothing here fails.
 *
 * @throws MigratorError `interrupted`
 */
export async function runPrechecks(
  orm: MikroORM,
  steps: readonly PendingStep[],
  options: PrecheckOptions,
): Promise<Precheck[]> {
  const found: Precheck[] = [];
  if (steps.length === 0) return found;
  await inTransaction(orm, async (session) => {
    await session.query('set transaction isolation level repeatable read, read only');
    await disableTransactionTimeouts(session, 'local');
    await cancelledBy(orm, session, options.signal, () =>
      // Also what code may set in the session is rolled back.
      inSavepoint(session, async () => {
        await session.query(
          `set local statement_timeout = '${options.precheckTimeout ?? 30_000}ms'; set local lock_timeout = '1s'`,
        );
        const context: Context = { session, changes: new Changes(), version: await versionOf(session) };
        for (const step of steps) {
          options.onEvent?.({ kind: 'prechecking', name: step.migration.name });
          await checkStep(context, step, options, found);
        }
      }),
    );
  });
  return found;
}

async function versionOf(session: Session): Promise<number> {
  const [server] = await session.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  );
  return server?.version ?? 0;
}

/** Cancels the current query when the signal aborts. @throws MigratorError `interrupted` */
async function cancelledBy(
  orm: MikroORM,
  session: Session,
  signal: AbortSignal | undefined,
  work: () => Promise<void>,
): Promise<void> {
  const [server] = await session.query<{ pid: number }>('select pg_backend_pid() as pid');
  const cancel = (): void => {
    poolSession(orm)
      .query('select pg_cancel_backend($1)', [server?.pid])
      .catch(() => {});
  };
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    await work();
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

async function checkStep(
  context: Context,
  { migration, direction, statements: known }: PendingStep,
  { progress, signal }: PrecheckOptions,
  found: Precheck[],
): Promise<void> {
  const { name, settings } = migration;
  const { changes } = context;
  if (direction === 'down') return changes.changeEverything(`${name} is reverted first`);
  const done = new Set(
    progress.flatMap((row) =>
      row.name === name && row.direction === 'up' && row.done ? [row.statement] : [],
    ),
  );
  // Those of a migration that began are checked already.
  if (done.size === 0) found.push(...(await handPrechecks(context, name, settings.prechecks ?? [])));
  const statements = known ?? (await migration.emit('up').catch(() => null));
  if (!statements) return changes.changeEverything(`the statements of ${name} depend on the database`);
  for (const [index, sql] of statements.entries()) {
    if (done.has(index)) continue;
    if (signal?.aborted === true)
      throw new MigratorError('interrupted', `the run was stopped before ${name}`);
    await checkStatement(context, { migration: name, statement: index + 1, sql }, found);
  }
  changes.endMigration();
}

interface SentStatement {
  readonly migration: string;
  readonly statement: number;
  readonly sql: string;
}

// Parsing a longer one takes seconds: it is one of rows.
const longest = 1_000_000;

async function checkStatement(
  context: Context,
  { migration, statement, sql }: SentStatement,
  found: Precheck[],
): Promise<void> {
  const at = `statement ${statement} of ${migration}`;
  const { session, changes } = context;
  const parts = sql.length > longest ? null : await parseSql(sql);
  if (!parts) return changes.changeEverything(`${at} can't be parsed`);
  for (const part of parts) {
    // Its own text, so that the places in its tree are those of the text.
    const [own] = (await parseSql(part.text)) ?? [];
    if (!own) return changes.changeEverything(`${at} can't be parsed`);
    try {
      await session.query('savepoint migrator_statement');
      const scans = await deriveScans(context, own, at);
      for (const scan of scans) {
        const counted: Counted = { migration, statement, inserted: (oid) => changes.insertedInto(oid) };
        found.push(...(await count(session, counted, scan)));
      }
      await recordEffects(context, own, at);
      await session.query('release savepoint migrator_statement');
    } catch (error) {
      if (error instanceof MigratorError) throw error;
      await session.query('rollback to savepoint migrator_statement');
      changes.changeEverything(
        `${at} can't be checked: ${isNativeError(error) ? error.message : String(error)}`,
      );
    }
  }
}
