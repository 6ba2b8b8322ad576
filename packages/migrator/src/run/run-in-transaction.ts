import type { Emitted } from '../files/code-migration.ts';
import { requireNoRows } from '../files/checks.ts';
import { refuseUnfitStatements } from '../files/refuse-unfit-statements.ts';
import { MigratorError } from '../session/errors.ts';
import type { Conflict } from '../leftovers/find-conflict.ts';
import { dropAll } from '../leftovers/drop-all.ts';
import { recordFailure } from './record-failure.ts';
import { findStepConflict } from './find-step-conflict.ts';
import { wasCommitted } from './was-committed.ts';
import { recordStep } from './record-step.ts';
import { untilStopped } from './context/stop-signal.ts';
import { serverTime } from '../session/server-time.ts';
import { transactionTimeouts } from './context/limits.ts';
import { LockBudget } from './locks/lock-budget.ts';
import { withBlockerReports } from './locks/with-blocker-reports.ts';
import { retryWhileLocked } from './locks/retry-while-locked.ts';
import type { Run } from './context/run.ts';
import type { Step } from './context/step.ts';
import { withSessionRestored } from '../session/restore-session.ts';
import { TransactionEndedError } from '../session/transaction-ended-error.ts';
import { guardedTransaction } from '../session/guarded-transaction.ts';
import { inTransaction, poolSession, type TransactionSession } from '../session/session.ts';
import { isLostConnection, findSqlState } from '../session/find-sql-state.ts';

/**
 * Runs a step in one transaction, together with its entries in the log and the history. When a lock times out, the transaction is rolled
 * back and retried.
 *
 * @throws MigratorError `failed`, `lock_lost`
 */
export async function runInTransaction(run: Run, step: Step): Promise<void> {
  return attempt(run, step, { objects: [], drops: [] }, { emitted: knownOf(step), sent: [] });
}

function knownOf({ statements }: Step): Emitted | null {
  return statements && { statements, hasQueried: false };
}

/** What the step sends; null until it was called. It is called again for another attempt only if it queries the database. */
interface Call {
  emitted: Emitted | null;
  /** What it has sent, or is about to send. */
  sent: readonly string[];
}

/** Existing objects that are dropped before the migration creates them again. */
type Replaced = Extract<Conflict, { drops: unknown }>;

async function attempt(run: Run, step: Step, replaced: Replaced, call: Call): Promise<void> {
  const startedAt = await serverTime(poolSession(run.orm));
  let at = 0;
  try {
    await retryWhileLocked(run, step.migration.name, () =>
      inTransaction(run.orm, (session) =>
        send(run, step, session, { startedAt, replaced, call, reached: (number) => (at = number) }),
      ),
    );
  } catch (error) {
    if (error instanceof MigratorError) throw error;
    // Possibly only the answer to the commit was lost.
    if (isLostConnection(error) && (await wasCommitted(run, step))) return;
    const statements = call.emitted?.statements ?? [];
    const conflict =
      replaced.objects.length === 0 ? await findStepConflict(run, step, { statements, at }, error) : null;
    if (conflict && 'drops' in conflict) {
      run.report({ kind: 'replacing', name: step.migration.name, objects: conflict.objects });
      return attempt(run, step, conflict, call);
    }
    const hint = conflict?.remedy ?? remedies[findSqlState(error)];
    const remedy =
      error instanceof TransactionEndedError
        ? 'It is not recorded as done: compare the database with the migration, undo what was kept or complete it by hand, and correct the migration.'
        : `It was rolled back. ${hint ?? 'Correct it and retry.'}`;
    throw await recordFailure(run, step, {
      error,
      startedAt,
      at: at === 0 ? '' : ` at statement ${at}`,
      remedy,
      sent: call.sent,
    });
  }
}

const remedies: Readonly<Partial<Record<string, string>>> = {
  '55P03': 'Find the session that holds the lock (pg_stat_activity), and retry.',
  '57014': 'If it timed out, set a longer `statementTimeout` in the migration, or split it; then retry.',
  '2BP01': 'Drop the dependent objects first, or use `cascade`; then retry.',
  '25001': 'Return false from its isTransactional(), so that it runs statement by statement; then retry.',
  '2D000':
    'Return false from its isTransactional(), and mark the statement: addSql(standalone(…)); then retry.',
  '42501': 'Grant the privilege to its role, or connect as the owner; then retry.',
};

interface Sending {
  readonly startedAt: string;
  readonly replaced: Replaced;
  readonly call: Call;
  readonly reached: (number: number) => void;
}

async function send(
  run: Run,
  step: Step,
  session: TransactionSession,
  { startedAt, replaced, call, reached }: Sending,
): Promise<void> {
  const { migration } = step;
  const { prechecks = [], postchecks = [] } = step.direction === 'up' ? migration.settings : {};
  const known = call.emitted?.hasQueried === false ? call.emitted : null;
  const sent = [...(known?.statements ?? [])];
  call.sent = sent;
  await withSessionRestored(session, sent, async (learn) => {
    await session.query(transactionTimeouts(run.limits, step));
    await run.lease.guard(session);
    if (migration.settings.prechecks)
      await withBlockerReports(run, migration.name, () => requireNoRows(session, 'prechecks', prechecks));
    const emitted = known ?? (await untilStopped(run, () => callIn(step, session, learn)));
    call.emitted = emitted;
    const { statements } = emitted;
    await dropAll(session, replaced.drops);
    const budget = new LockBudget(run, session, step);
    for (const [index, sql] of statements.entries()) {
      const number = index + 1;
      reached(number);
      run.report({ kind: 'statement', name: migration.name, sql, number, count: statements.length });
      await budget.spend(() => withBlockerReports(run, migration.name, () => session.query(sql)));
    }
    if (postchecks.length > 0) {
      reached(0);
      await withBlockerReports(run, migration.name, () => requireNoRows(session, 'postchecks', postchecks));
    }
  });
  const note =
    replaced.objects.length > 0
      ? [step.note, `replaced existing objects: ${replaced.objects.join(', ')}`].filter(Boolean).join('; ')
      : step.note;
  if (call.emitted) await recordStep(session, run, { ...step, note }, { startedAt, emitted: call.emitted });
}

/**
 * Calls the step in its transaction. What its code sends, and the statements that it adds, are passed to `learn`.
 *
 * @throws MigrationRefusedError before a statement that the migrator can't run is sent.
 */
async function callIn(
  { migration, direction }: Step,
  session: TransactionSession,
  learn: (texts: readonly string[]) => Promise<void>,
): Promise<Emitted> {
  const guard = async (sql: string): Promise<void> => {
    await refuseUnfitStatements(migration, [sql]);
    await learn([sql]);
  };
  const emitted = await migration.call(direction, guard, (instance, guarded) =>
    instance.setTransactionContext(guardedTransaction(session.transaction, guarded)),
  );
  await refuseUnfitStatements(migration, emitted.statements);
  await learn(emitted.statements);
  return emitted;
}
