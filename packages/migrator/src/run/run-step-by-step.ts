import { parseBackfill } from '../files/backfill.ts';
import { digestOf, type Emitted } from '../files/code-migration.ts';
import { refuseUnfit } from '../plan/selection.ts';
import { MigratorError, MigrationRefusedError } from '../session/errors.ts';
import { remainingStatements } from './remaining-statements.ts';
import { parseCheckpoint, runBackfill, type Checkpoint } from './run-backfill.ts';
import { recordFailure } from './record-failure.ts';
import { findStepConflict } from './find-step-conflict.ts';
import { wasCommitted } from './was-committed.ts';
import { recordStep } from './record-step.ts';
import { serverTime } from './server-time.ts';
import { sessionTimeouts, transactionTimeouts } from './limits.ts';
import { withBlockerReports } from './with-blocker-reports.ts';
import { retryWhileLocked } from './retry-while-locked.ts';
import type { Run } from './run.ts';
import type { Step } from './step.ts';
import { disableTransactionTimeouts, withSettingsRestored } from '../session/session-settings.ts';
import { onOwnConnection, type OwnSession } from '../session/own-connection.ts';
import { inTransaction, poolSession, type Session } from '../session/session.ts';
import { isLostConnection } from '../session/find-sql-state.ts';
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
      : await migration.call(direction);
    statements = emitted.statements;
    await refuseUnfit(migration, statements);
    refuseEditedStatements(migration.name, statements, recorded);
    for (const sql of statements) await refuseUnnamedIndex(migration.name, sql);
    await onOwnConnection(run.orm, async (session) => {
      // Behind a pooler it has no fixed server process, and session settings do not last.
      if (await isDirect(session)) {
        await session.query(sessionTimeouts(step));
        await disableTransactionTimeouts(session, 'session');
        await run.lease.registerConnection(session);
      }
      for (const [index, sql] of statements.entries()) {
        const known = recorded.find(({ statement }) => statement === index);
        if (known?.done) continue;
        at = index + 1;
        run.report({ kind: 'statement', name: migration.name, sql, number: at, count: statements.length });
        await runStatement(run, step, session, { sql, index, known });
      }
    });
    await inTransaction(run.orm, async (session) => {
      await run.lease.guard(session);
      await recordStep(session, run, step, { startedAt, emitted });
      await session.query(`delete from ${run.tables.progress} where name = $1 and direction = $2`, [
        migration.name,
        direction,
      ]);
    });
  } catch (error) {
    if (error instanceof MigratorError) throw error;
    // Possibly only the answer to the last commit was lost.
    if (isLostConnection(error) && (await wasCommitted(run, step))) return;
    const conflict = await findStepConflict(run, step, { statements, at }, error);
    const hint = conflict && 'remedy' in conflict ? ` ${conflict.remedy}` : '';
    throw await recordFailure(run, step, {
      error,
      startedAt,
      at: at === 0 ? '' : ` at statement ${at}`,
      remedy: `The statements before it are done; the next \`up\` or \`down\` resumes there.${hint}`,
    });
  }
}

interface Statement {
  readonly sql: string;
  readonly index: number;
  /** Its progress from an interrupted run. */
  readonly known: Progress | undefined;
}

async function runStatement(run: Run, step: Step, own: Session, statement: Statement): Promise<void> {
  const batches = parseBackfill(statement.sql);
  if (batches) {
    const place = statement.known?.place ?? null;
    return runBackfill(run, step, batches, {
      initial: place === null ? null : parseCheckpoint(place),
      save: (session, reached, last) => recordProgress(session, run, step, statement, last, reached),
    });
  }
  const kind = await classifyStandalone(statement.sql);
  const { name } = step.migration;
  if (!kind) {
    await retryWhileLocked(run, name, () =>
      inTransaction(run.orm, async (session) => {
        await withSettingsRestored(session, async () => {
          await session.query(transactionTimeouts(run.limits, step));
          await run.lease.guard(session);
          await withBlockerReports(run, name, () => session.query(statement.sql));
        });
        await recordProgress(session, run, step, statement, true);
      }),
    );
    return;
  }
  await inTransaction(run.orm, async (session) => {
    await run.lease.guard(session);
    await recordProgress(session, run, step, statement, false);
  });
  const send = (sql: string): Promise<void> => withBlockerReports(run, name, () => run.lease.send(own, sql));
  const rest = await remainingStatements(kind, statement.sql, own, statement.known !== undefined);
  for (const sql of rest) await send(sql);
  await inTransaction(run.orm, async (session) => {
    await run.lease.guard(session);
    await recordProgress(session, run, step, statement, true);
  });
}

async function recordProgress(
  session: Session,
  run: Run,
  step: Step,
  { sql, index }: Statement,
  done: boolean,
  checkpoint?: Checkpoint,
): Promise<void> {
  const { name } = step.migration;
  await session.query(
    `insert into ${run.tables.progress} (name, direction, statement, checksum, done, place) values ($1, $2, $3, $4, $5, $6)
     on conflict (name, direction, statement) do update set done = excluded.done, checksum = excluded.checksum, place = excluded.place, at = clock_timestamp()`,
    [name, step.direction, index, digestOf([sql]), done, checkpoint ? JSON.stringify(checkpoint) : null],
  );
}

// An invalid unnamed index could not be found.
async function refuseUnnamedIndex(migration: string, sql: string): Promise<void> {
  const kind = await classifyStandalone(sql);
  if (kind?.kind !== 'create index' || kind.index !== null) return;
  throw new MigrationRefusedError(
    `${migration} builds an index of ${kind.table} concurrently without a name, and an unnamed index can't be found after an interruption: name it`,
  );
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
    if (!done && place === null) continue;
    if (sql !== undefined && digestOf([sql]) === checksum) continue;
    throw new MigrationRefusedError(
      `${name} was interrupted after statement ${statement + 1}, which has been edited since: restore it; statements after it may be edited`,
    );
  }
}
