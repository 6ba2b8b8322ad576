import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterHome } from '../cluster/cluster-home.ts';
import { ClusterWatch } from './cluster-watch.ts';
import { EmbeddedPostgresError } from '../errors/embedded-postgres-error.ts';
import type { Postmaster } from './postmaster.ts';

/**
 * Waits until the cluster's server accepts connections, and returns it; null when none is running or starting.
 *
 * @throws EmbeddedPostgresError `in_use`; `start_failed` when it is not ready by `deadline`.
 */
export async function awaitServer(home: ClusterHome, deadline: number): Promise<Postmaster | null> {
  const watch = new ClusterWatch(home);
  for (;;) {
    const server = await watch.poll();
    if (server === null) return null;
    if (server !== 'pending' && server.status === 'ready') return server;
    if (Date.now() >= deadline) {
      throw new EmbeddedPostgresError(
        'start_failed',
        `The server in ${home.directory} is not ready: ${describe(server)}. It continues to start; try again later. ` +
          `Log: ${home.logFile}.`,
      );
    }
    // Each poll runs a program or two, and many processes may wait at once.
    await delay(50);
  }
}

function describe(server: Postmaster | 'pending'): string {
  if (server === 'pending') return 'another process holds the lock to start it';
  return `process ${server.pid} is ${server.status}`;
}
