import { isNativeError } from 'node:util/types';
import { addToHistory } from '../ledger/history.ts';
import { MigratorError } from '../session/errors.ts';
import { inTransaction } from '../session/session.ts';
import { findSqlState } from '../session/find-sql-state.ts';
import type { Run } from './run.ts';
import type { Step } from './step.ts';

/** Records a failed step in the history, unless another runner has taken over, and returns the error to throw. */
export async function recordFailure(
  run: Run,
  step: Step,
  { error, startedAt, at, remedy }: { error: unknown; startedAt: string; at: string; remedy: string },
): Promise<MigratorError> {
  const { name, textDigest } = step.migration;
  const what = describe(error);
  try {
    await inTransaction(run.orm, async (session) => {
      await run.lease.guard(session);
      await addToHistory(session, run.tables, {
        name,
        direction: step.direction,
        outcome: 'failed',
        checksum: null,
        textDigest,
        startedAt,
        error: what,
        token: run.lease.token,
      });
    });
  } catch (unrecorded) {
    if (unrecorded instanceof MigratorError) return unrecorded;
    // A failure to write the history must not hide why the step failed.
  }
  return new MigratorError('failed', `${name} failed in ${step.direction}()${at}: ${what}. ${remedy}`, {
    cause: error,
  });
}

// Messages of these classes name statements and objects; others may hold values of rows.
function describe(error: unknown): string {
  if (!isNativeError(error)) return String(error);
  const state = findSqlState(error);
  if (state === '') return error.message;
  const { table, constraint, column }: Error & { table?: string; constraint?: string; column?: string } =
    error;
  const named = [table, constraint, column].filter((name) => name !== undefined);
  // `raise` may put anything into its message.
  const isRaised = 'routine' in error && error.routine === 'exec_stmt_raise';
  if (/^(?:0A|0L|0P|23|25|2B|2D|3D|3F|40|42|53|54|55|57|58)/.test(state) && !isRaised)
    return `${firstLine(error.message)} (${state})`;
  // These name a value in quotes.
  if (state.startsWith('22') && !isRaised)
    return `${firstLine(error.message).replaceAll(/"[^"]*"/g, '"…"')} (${state})`;
  return named.length > 0 ? `SQLSTATE ${state} (${named.join(', ')})` : `SQLSTATE ${state}`;
}

function firstLine(text: string): string {
  return text.split('\n').at(-1) ?? text;
}
