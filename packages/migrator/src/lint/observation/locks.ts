import type { Blocks } from './finding.ts';

// From the weakest to the strongest.
const modes = [
  'AccessShareLock',
  'RowShareLock',
  'RowExclusiveLock',
  'ShareUpdateExclusiveLock',
  'ShareLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock',
];

/** Returns how strong a lock is; -1 for none. */
export function rank(mode: string | null): number {
  return mode === null ? -1 : modes.indexOf(mode);
}

/** Returns the strongest of some locks. */
export function strongest(held: readonly string[]): string | null {
  return held.toSorted((one, other) => rank(other) - rank(one))[0] ?? null;
}

/** Returns what a lock stops others from doing. */
export function blocksOf(lock: string | null): Blocks {
  if (lock === 'AccessExclusiveLock') return 'reads and writes';
  return rank(lock) >= rank('ShareLock') ? 'writes' : 'nothing';
}
