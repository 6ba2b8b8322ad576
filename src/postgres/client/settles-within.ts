import { setTimeout } from 'node:timers/promises';

/** Waits until `work` is fulfilled or rejected, at most `milliseconds`. Returns whether it was in time. */
export async function settlesWithin(milliseconds: number, work: Promise<unknown>): Promise<boolean> {
  const timeout = new AbortController();
  const ended = work.then(
    () => true,
    () => true,
  );
  const overdue = setTimeout(milliseconds, false, { signal: timeout.signal });
  // It rejects once the work has ended.
  overdue.catch(() => {});
  try {
    return await Promise.race([ended, overdue]);
  } finally {
    timeout.abort();
  }
}
