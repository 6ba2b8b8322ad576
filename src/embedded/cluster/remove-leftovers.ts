import { rm } from 'node:fs/promises';
import { FileLock } from '../system/file-lock.ts';
import { listStaging } from './staging.ts';

/** Deletes the staging folders that killed processes left in `directory`. Ignores errors: the next start retries. */
export async function removeLeftovers(directory: string): Promise<void> {
  for (const { home } of await listStaging(directory)) {
    try {
      const lock = await FileLock.tryAcquire(home.lockFile);
      if (lock === null) continue;
      try {
        await rm(home.cluster, { recursive: true, force: true, maxRetries: 3 });
      } finally {
        await lock.release();
      }
    } catch {
      // Another process may delete the folder too, an orphaned initdb may write into it, or another user may own it.
    }
  }
}
