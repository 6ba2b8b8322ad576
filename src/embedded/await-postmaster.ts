import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedPostgresError } from './errors.ts';
import type { ClusterHome } from './cluster-home.ts';
import { readPostmaster, type Postmaster } from './postmaster.ts';

/**
 * The cluster's server once it takes connections; null if it has none, or it was on its way down and is gone.
 *
 * @throws EmbeddedPostgresError `start_failed` if it is neither by `deadline`
 */
export async function awaitPostmaster(home: ClusterHome, deadline: number): Promise<Postmaster | null> {
  for (;;) {
    const postmaster = await readPostmaster(home.data);
    if (postmaster === null || !postmaster.running) return null;
    if (postmaster.status === 'ready') return postmaster;
    if (Date.now() >= deadline) {
      throw new EmbeddedPostgresError(
        'start_failed',
        `The server in ${home.directory} (process ${postmaster.pid}) is still ${postmaster.status}. ` +
          `It goes on; try again later. Its log is ${home.logFile}.`,
      );
    }
    await delay(5);
  }
}
