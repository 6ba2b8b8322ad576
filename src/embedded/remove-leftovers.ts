import { rm } from 'node:fs/promises';
import { Staging } from './staging.ts';

/** Deletes what killed processes left unfinished in `directory`. What resists is left for the next time. */
export async function removeLeftovers(directory: string): Promise<void> {
  for (const leftover of await Staging.list(directory)) {
    if (leftover.alive) continue;
    // An initdb that outlived its caller may still write there, or another user own it: no reason to fail a start.
    await rm(leftover.path, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
  }
}
