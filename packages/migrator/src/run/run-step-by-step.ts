import type { MikroORM } from '@mikro-orm/postgresql';
import { parseBackfill } from '../files/backfill.ts';
import { digestOf, type Emitted } from '../files/code-migration.ts';
import { requireNoRows } from '../files/checks.ts';
import { refuseUnfitStatements } from '../files/refuse-unfit-statements.ts';
import { guardHandles } from '../internals/guard-handles.ts';
import { MigratorError, MigrationRefusedError } from '../session/errors.ts';
import { recordProgress } from './record-progress.ts';
import { findStandalone, refuseCodeBehindPooler, runsCode, sendStandalone } from './send-standalone.ts';
import { isCheckpoint, parseCheckpoint, runBackfill } from './run-backfill.ts';
import { dropFormerIndexes } from './drop-former-indexes.ts';
import { recordFailure } from './record-failure.ts';
import { findStepConflict } from './find-step-conflict.ts';
import { wasCommitted } from './was-committed.ts';
import { recordStep } from './record-step.ts';
import { untilStopped } from './context/stop-signal.ts';
import { serverTime } from '../session/server-time.ts';
import { sessionTimeouts, transactionTimeouts } from './context/limits.ts';
import { withBlockerReports } from './locks/with-blocker-reports.ts';
import { retryWhileLocked } from './locks/retry-while-locked.ts';
import type { Run } from './context/run.ts';
import type { Step } from './context/step.ts';
import { withSessionRestored } from '../session/restore-session.ts';
import { disableTransactionTimeouts } from '../session/session-settings.ts';
import { TransactionEndedError } from '../session/transaction-ended-error.ts';
import { onOwnConnection, type OwnSession } from '../session/own-connection.ts';
import { inTransaction, poolSession, type Session } from '../session/session.ts';
import { findSqlState, isLostConnection } from '../session/find-sql-state.ts';
import { findSessionEffect } from '../sql/find-lasting-effect.ts';
import { longNames } from '../sql/long-names.ts';
import { classifyStandalone } from '../sql/classify-standalone.ts';
import type { Progress } from '../ledger/state.ts';

/**
 * Runs a step that is not transactional, statement by statement, and records the progress of each, so that it resumes after an
 * interruption. A statement that may run in a transaction has its own, together with its progress; others run outside.
 *
 * @throws MigrationRefusedError before its first statement; MigratorError `failed`, `lock_lost`
 */
export async function runStepByStep(run: Run, step: Step, progress: readonly Progress[]): Promise<void> {
  const startedAt = await serverTime(poolSession(run.orm));
  const { migration, direction } = step;
  const recorded = progress.filter((row) => row.name === migration.name && row.direction === direction);
  let at = 0;
  let statements: readonly string[] = [];
  try {
    const emitted: Emitted = step.statements
      ? { statements: step.statements, hasQueried: false }
      : await untilStopped(run, () => callOutside(run.orm, step));
    statements = emitted.statements;
    refuseEditedStatements(migration.name, statements, recorded);
    if (recorded.length === 0) await check(run, step, 'prechecks');
    for (const sql of statements) await refuseUnnamedIndex(migration.name, sql);
    await onOwnConnection(run.orm, async (session) => {
      await refuseUnresolvableNames(session, migration.name, statements);
      const direct = await isDirect(session);
      if (direct) {
        await prepareOwnSession(session, step);
        await run.lease.registerConnection(session);
      } else {
        for (const sql of statements) {
          const kind = await findStandalone(session, sql);
          if (kind) await refuseCodeBehindPooler(migration.name, sql, kind);
        }
      }
      await dropFormerIndexes(run, session, { name: migration.name, statements, recorded });
      const byStatement = new Map(recorded.map((row) => [row.statement, row]));
      for (const [index, sql] of statements.entries()) {
        const known = byStatement.get(index);
        if (known?.done) continue;
        at = index + 1;
        run.report({ kind: 'statement', name: migration.name, sql, number: at, count: statements.length });
        await runStatement(run, step, session, { sql, index, known, direct });
      }
    });
    at = 0;
    await check(run, step, 'postchecks');
    await inTransaction(run.orm, async (session) => {
      await run.lease.guard(session);
      await recordStep(session, run, step, { startedAt, emitted });
      await session.query(
        `delete from ${run.tables.progress} where name = $1 and direction = $2 and chain in ('', $3)`,
        [migration.name, direction, run.tables.chain],
      );
    });
  } catch (error) {
    if (error instanceof MigratorError) throw error;
    // Possibly only the answer to the last commit was lost.
    if (isLostConnection(error) && (await wasCommitted(run, step))) return;
    const conflict = await findStepConflict(run, step, { statements, at }, error);
    const remedy =
      conflict && 'remedy' in conflict ? conflict.remedy : outsideTransactions[findSqlState(error)];
    const hint = remedy === undefined ? '' : ` ${remedy}`;
    throw await recordFailure(run, step, {
      error,
      startedAt,
      at: at === 0 ? '' : ` at statement ${at}`,
      sent: statements,
      remedy:
        error instanceof TransactionEndedError
          ? 'The statements before it are done. Its own result is not recorded: compare it with the database before the next `up` or `down`, which resumes there.'
          : `The statements before it are done; the next \`up\` or \`down\` resumes there.${hint}`,
    });
  }
}

/** Runs the checks that a migration declares, in a transaction with its timeouts. @throws Error when one returns a row. */
async function check(run: Run, step: Step, when: 'prechecks' | 'postchecks'): Promise<void> {
  const checks = (step.direction === 'up' && step.migration.settings[when]) || [];
  if (checks.length === 0) return;
  await inTransaction(run.orm, async (session) => {
    await session.query(transactionTimeouts(run.limits, step));
    await run.lease.guard(session);
    await withBlockerReports(run, step.migration.name, () => requireNoRows(session, when, checks));
  });
}

const mark =
  "If the statement can't run in a transaction, mark it: this.addSql(standalone('…')), imported from mikro-orm-safe-migrations.";

const outsideTransactions: Readonly<Partial<Record<string, string>>> = { '2D000': mark, '25001': mark };

interface Statement {
  readonly sql: string;
  readonly index: number;
  /** Its progress from an interrupted run. */
  readonly known: Progress | undefined;
  /** Whether the separate connection reaches the server without a pooler. */
  readonly direct: boolean;
}

async function runStatement(run: Run, step: Step, own: Session, statement: Statement): Promise<void> {
  const batches = parseBackfill(statement.sql);
  if (batches) {
    const reached = statement.known?.place ?? null;
    return runBackfill(run, step, batches, {
      initial: reached !== null && isCheckpoint(reached) ? parseCheckpoint(reached) : null,
      save: (session, place, done) => recordProgress(session, run, step, { ...statement, done, place }),
    });
  }
  const kind = await findStandalone(own, statement.sql);
  const { name } = step.migration;
  if (!kind) {
    await retryWhileLocked(run, name, () =>
      inTransaction(run.orm, async (session) => {
        await withSessionRestored(session, [statement.sql], async () => {
          await session.query(transactionTimeouts(run.limits, step));
          await run.lease.guard(session);
          await withBlockerReports(run, name, () => session.query(statement.sql));
        });
        await recordProgress(session, run, step, { ...statement, done: true });
      }),
    );
    return;
  }
  if (!statement.direct) await refuseCodeBehindPooler(name, statement.sql, kind);
  await sendStandalone(run, step, own, { ...statement, kind });
  if (statement.direct && (await runsCode(statement.sql, kind))) {
    // The next statement must not depend on what it left in the session.
    await own.query('discard all');
    await prepareOwnSession(own, step);
  }
}

// Settings of a session do not last behind a pooler.
async function prepareOwnSession(own: Session, step: Step): Promise<void> {
  await own.query(sessionTimeouts(step));
  await disableTransactionTimeouts(own, 'session');
}

// An invalid unnamed index could not be found.
async function refuseUnnamedIndex(migration: string, sql: string): Promise<void> {
  const kind = await classifyStandalone(sql);
  if (kind?.kind !== 'create index' || kind.index !== null) return;
  throw new MigrationRefusedError(
    `${migration} builds an index of ${kind.table} concurrently without a name, and an unnamed index can't be found after an interruption: name it`,
  );
}

// The grammar truncates names as a server does whose encoding is UTF-8.
async function refuseUnresolvableNames(
  session: Session,
  migration: string,
  statements: readonly string[],
): Promise<void> {
  for (const sql of statements) {
    const [name] = (await classifyStandalone(sql)) ? await longNames(sql) : [];
    if (name === undefined) continue;
    const [server] = await session.query<{ encoding: string }>(
      `select current_setting('server_encoding') as encoding`,
    );
    if (server?.encoding === 'UTF8') continue;
    throw new MigrationRefusedError(
      `${migration} uses the name ${name} outside a transaction, and a server with the encoding ${server?.encoding} may truncate it: use at most 63 bytes of UTF-8`,
    );
  }
}

/** Whether a connection is direct: a pooler announces another process than that of the server. */
async function isDirect(session: OwnSession): Promise<boolean> {
  const [row] = await session.query<{ pid: number }>('select pg_backend_pid() as pid');
  return row?.pid === session.announcedProcess;
}

/**
 * Refuses a migration whose statements are not those that an earlier run has done. Later ones may be edited, so that a wrong one can be
 * corrected.
 *
 * @throws MigrationRefusedError
 */
function refuseEditedStatements(
  name: string,
  statements: readonly string[],
  recorded: readonly Progress[],
): void {
  for (const { statement, checksum, done, place } of recorded) {
    const sql = statements[statement];
    // Of a backfill, a part is done.
    if (!done && !(place !== null && isCheckpoint(place))) continue;
    if (sql !== undefined && digestOf([sql]) === checksum) continue;
    throw new MigrationRefusedError(
      `${name} was interrupted after statement ${statement + 1}, which has been edited since: restore it; statements after it may be edited`,
    );
  }
}

/**
 * Calls a step that is not transactional. What its code sends has no transaction, and runs on any connection of the pool.
 *
 * @throws MigrationRefusedError before a statement is sent that would leave a transaction open, or something in the session.
 */
async function callOutside(orm: MikroORM, { migration, direction }: Step): Promise<Emitted> {
  const guard = async (sql: string): Promise<void> => {
    await refuseUnfitStatements(migration, [sql]);
    await refuseSessionEffect(migration.name, sql);
  };
  const emitted = await migration.call(direction, guard, (instance, guarded) =>
    guardHandles(orm, instance, guarded),
  );
  await refuseUnfitStatements(migration, emitted.statements);
  return emitted;
}

async function refuseSessionEffect(name: string, text: string): Promise<void> {
  const effect = await findSessionEffect(text);
  if (effect === null) return;
  throw new MigrationRefusedError(
    `${name} executes "${effect}" outside a transaction, which would stay in effect for other users of the connection: pass it to addSql together ` +
      'with the statements that need it, as one text',
  );
}
