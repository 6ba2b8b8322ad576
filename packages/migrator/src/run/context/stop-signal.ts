import { setTimeout } from 'node:timers/promises';
import { isNativeError } from 'node:util/types';
import { findSqlState } from '../../session/find-sql-state.ts';
import { poolSession } from '../../session/session.ts';
import type { Run } from './run.ts';

const cancelInterval = 200;

/**
 * Runs `work`, which sends statements of a migration, unless the run was stopped; cancels them on the server when it is stopped meanwhile.
 *
 * @throws the signal's reason, the server's error of a cancelled statement, and what `work` throws.
 */
export async function untilStopped<T>(run: Run, work: () => Promise<T>): Promise<T> {
  const { signal } = run;
  if (!signal) return work();
  signal.throwIfAborted();
  const settled = new AbortController();
  const cancel = async (): Promise<void> => {
    // The statement may not have arrived yet.
    while (!settled.signal.aborted) {
      await poolSession(run.orm)
        .query(`select pg_cancel_backend(pid) from (${run.lease.workers}) as worker`)
        .catch(() => {});
      await setTimeout(cancelInterval);
    }
  };
  let cancelling: Promise<void> | undefined;
  const onAbort = (): void => void (cancelling = cancel());
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await work();
  } finally {
    settled.abort();
    signal.removeEventListener('abort', onAbort);
    // What follows must not be cancelled.
    await cancelling;
  }
}

/** Whether an error is the effect of stopping the run. */
export function isStop({ signal }: Pick<Run, 'signal'>, error: unknown): boolean {
  return (
    signal?.aborted === true && (error === signal.reason || isAbort(error) || findSqlState(error) === '57014')
  );
}

// Of a timer that ended early.
function isAbort(error: unknown): boolean {
  return isNativeError(error) && error.name === 'AbortError';
}
