import { addToHistory } from '../ledger/history.ts';
import { MigratorError } from '../session/errors.ts';
import { inTransaction } from '../session/session.ts';
import { describeServerError } from '../session/describe-server-error.ts';
import type { Run } from './context/run.ts';
import { isStop } from './context/stop-signal.ts';
import type { Step } from './context/step.ts';

/** How a step failed. */
interface Failure {
  readonly error: unknown;
  readonly startedAt: string;
  /** Where: ` at statement 2`. */
  readonly at: string;
  readonly remedy: string;
  /** The statements that were sent. */
  readonly sent: readonly string[];
}

/** Records a failed step in the history, unless another runner has taken over, and returns the error to throw. */
export async function recordFailure(
  run: Run,
  step: Step,
  { error, startedAt, at, remedy, sent }: Failure,
): Promise<MigratorError> {
  const { name, textDigest } = step.migration;
  const stopped = isStop(run, error);
  const what = stopped ? 'the run was stopped' : describeServerError(error, sent);
  try {
    await inTransaction(run.orm, async (session) => {
      await run.lease.guard(session);
      await addToHistory(session, run.tables, {
        name,
        direction: step.direction,
        outcome: stopped ? 'interrupted' : 'failed',
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
  if (stopped)
    return new MigratorError(
      'interrupted',
      `${name} was stopped in ${step.direction}()${at}. ${whenStopped(step)}`,
      {
        cause: error,
      },
    );
  return new MigratorError('failed', `${name} failed in ${step.direction}()${at}: ${what}. ${remedy}`, {
    cause: error,
  });
}

function whenStopped({ migration: { transactional } }: Step): string {
  return transactional ? 'It was rolled back.' : 'The next `up` or `down` resumes there.';
}
