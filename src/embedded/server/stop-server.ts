import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterHome } from '../cluster/cluster-home.ts';
import { ClusterWatch } from './cluster-watch.ts';
import { EmbeddedPostgresError } from '../errors/embedded-postgres-error.ts';
import { FileLock } from '../system/file-lock.ts';
import { interruptServer } from './server-process.ts';

/**
 * Stops a cluster's server as `pg_ctl stop -m fast` does: disconnects clients, rolls back their transactions and writes a checkpoint. Waits
 * for a server that is starting. A no-op without a server.
 *
 * @throws EmbeddedPostgresError `stop_failed`, `in_use`.
 */
export async function stopServer(home: ClusterHome, deadline: number): Promise<void> {
  const watch = new ClusterWatch(home);
  let signalled: number | null = null;
  for (;;) {
    const server = await watch.poll();
    if (server === null) return;
    const pid = server === 'pending' ? null : server.pid;
    // Another process may have started the next server already.
    if (signalled !== null && pid !== signalled) return;
    if (signalled === null && pid !== null && (await interruptServer(home, pid))) signalled = pid;
    if (Date.now() >= deadline) throw notStopped(home, signalled);
    await delay(10);
  }
}

/**
 * Stops the server and locks the cluster, so that no server starts until the lock is released.
 *
 * @throws EmbeddedPostgresError `stop_failed`, `in_use`.
 */
export async function stopAndLock(home: ClusterHome, deadline: number): Promise<FileLock> {
  for (;;) {
    await stopServer(home, deadline);
    const lock = await FileLock.tryAcquire(home.lockFile);
    if (lock !== null) return lock;
    if (Date.now() >= deadline) throw notStopped(home, null);
    await delay(10);
  }
}

function notStopped(home: ClusterHome, signalled: number | null): EmbeddedPostgresError {
  const reason =
    signalled === null
      ? 'could not be stopped: another process keeps starting it'
      : `(process ${signalled}) has not stopped after SIGINT`;
  return new EmbeddedPostgresError(
    'stop_failed',
    `The server in ${home.directory} ${reason}. Log: ${home.logFile}.`,
  );
}
