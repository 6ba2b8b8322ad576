import { setTimeout } from 'node:timers/promises';
import { findSqlState } from '../../session/find-sql-state.ts';
import type { Run } from '../context/run.ts';

// Lock timeout, deadlock, serialization failure: all are rolled back, and a retry may succeed.
const transient: ReadonlySet<string> = new Set(['55P03', '40P01', '40001']);

/** How long to wait for locks of other sessions. */
export type Patience = Pick<Run, 'limits' | 'report' | 'signal'>;

/** Retries `work`, a whole transaction, with jittered backoff while locks of other sessions make it fail, for at most `lockRetry`. */
export async function retryWhileLocked<T>(run: Patience, name: string, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + run.limits.lockRetry;
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!transient.has(findSqlState(error)) || Date.now() > deadline) throw error;
      // Jittered, so that two runners do not collide again.
      const delay = Math.round((0.5 + Math.random()) * Math.min(100 * 2 ** attempt, 2_000));
      run.report({ kind: 'retrying', name, delay });
      await setTimeout(delay, undefined, { signal: run.signal });
    }
  }
}
