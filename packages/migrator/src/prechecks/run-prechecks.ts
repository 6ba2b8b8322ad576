import type { MikroORM } from '@mikro-orm/postgresql';
import { isNativeError } from 'node:util/types';
import type { Progress } from '../ledger/state.ts';
import { MigratorError } from '../session/errors.ts';
import { disableTransactionTimeouts } from '../session/session-settings.ts';
import { inTransaction, poolSession, type Session } from '../session/session.ts';
import type { ParsedStatement } from '../sql/parse-sql.ts';
import { count, type Counted } from './count.ts';
import { recordEffects } from './effects.ts';
import { handPrechecks } from './hand-prechecks.ts';
import { asksRows, parseStep, type ParsedStep, type PendingStep } from './pending.ts';
import { Changes } from './rows/changes.ts';
import type { Precheck } from './rows/precheck.ts';
import type { Context } from './rows/rows-for.ts';
import { inSavepoint } from './rows/savepoint.ts';
import { deriveScans } from './scans/derive.ts';

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
 * rolled back. What can't be known before the run is `unknown`: nothing here fails. Opens no transaction where no statement can fail on rows.
 *
 * @throws MigratorError `interrupted`
 */
export async function runPrechecks(
  orm: MikroORM,
  steps: readonly PendingStep[],
  options: PrecheckOptions,
): Promise<Precheck[]> {
  const parsed: ParsedStep[] = [];
  for (const step of steps) parsed.push(await parseStep(step, options.progress));
  const found: Precheck[] = [];
  if (!asksRows(parsed)) return found;
  const { precheckTimeout = 30_000, signal, onEvent } = options;
  await inTransaction(orm, async (session) => {
    await session.query('set transaction isolation level repeatable read, read only');
    await disableTransactionTimeouts(session, 'local');
    await cancelledBy(orm, session, signal, () =>
      // Also what code may set in the session is rolled back.
      inSavepoint(session, async () => {
        await session.query(
          `set local statement_timeout = '${precheckTimeout}ms'; set local lock_timeout = '1s'`,
        );
        const context: Context = { session, changes: new Changes(), version: await versionOf(session) };
        for (const step of parsed) {
          onEvent?.({ kind: 'prechecking', name: step.name });
          await checkStep(context, step, signal, found);
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
  { name, direction, checks, texts }: ParsedStep,
  signal: AbortSignal | undefined,
  found: Precheck[],
): Promise<void> {
  const { changes } = context;
  found.push(...(await handPrechecks(context, name, checks)));
  if (direction === 'down') return changes.changeEverything(`${name} is reverted first`);
  if (!texts) return changes.changeEverything(`the statements of ${name} depend on the database`);
  for (const { number, statements } of texts) {
    const at = `statement ${number} of ${name}`;
    if (!statements) changes.changeEverything(`${at} can't be parsed`);
    for (const statement of statements ?? []) {
      if (signal?.aborted === true)
        throw new MigratorError('interrupted', `the run was stopped before ${name}`);
      const counted: Counted = {
        migration: name,
        statement: number,
        inserted: (oid) => changes.insertedInto(oid),
      };
      await checkStatement(context, statement, at, { counted, found });
    }
  }
  changes.endMigration();
}

async function checkStatement(
  context: Context,
  statement: ParsedStatement,
  at: string,
  { counted, found }: { readonly counted: Counted; readonly found: Precheck[] },
): Promise<void> {
  const { session, changes } = context;
  await session.query('savepoint migrator_statement');
  try {
    for (const scan of await deriveScans(context, statement, at))
      found.push(...(await count(session, counted, scan)));
    await recordEffects(context, statement, at);
    await session.query('release savepoint migrator_statement');
  } catch (error) {
    await session.query('rollback to savepoint migrator_statement');
    changes.changeEverything(
      `${at} can't be checked: ${isNativeError(error) ? error.message : String(error)}`,
    );
  }
}
