import { rm } from 'node:fs/promises';
import { FileLock } from './file-lock.ts';
import { listStaging } from './staging.ts';

/** Deletes what killed processes left unfinished in `directory`. What resists is left for the next time. */
export async function removeLeftovers(directory: string): Promise<void> {
  for (const { home } of await listStaging(directory)) {
    try {
      const lock = await FileLock.take(home.lockFile);
      if (lock === null) continue;
      try {
        await rm(home.cluster, { recursive: true, force: true, maxRetries: 3 });
      } finally {
        await lock.release();
      }
    } catch {
      // Another process may delete it too, an initdb that outlived its caller write there, or another user own it: no
      // reason to fail a start.
    }
  }
}
