import { setTimeout } from 'node:timers/promises';

/** Waits until `work` has ended, whichever way, but no longer than so many milliseconds. Says whether it has. */
export async function within(milliseconds: number, work: Promise<unknown>): Promise<boolean> {
  const enough = new AbortController();
  const ended = work.then(
    () => true,
    () => true,
  );
  const overdue = setTimeout(milliseconds, false, { signal: enough.signal });
  // Not awaited once the work has ended.
  overdue.catch(() => {});
  try {
    return await Promise.race([ended, overdue]);
  } finally {
    enough.abort();
  }
}
