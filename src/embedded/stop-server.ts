import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterHome } from './cluster-home.ts';
import { ClusterWatch } from './cluster-watch.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { FileLock } from './file-lock.ts';
import { interruptServer } from './server-process.ts';

/**
 * Shuts a cluster's server down, as `pg_ctl stop -m fast` does: clients are cut off, their transactions rolled back,
 * everything is written out. A server that is being started is waited for. Without a server it does nothing.
 *
 * @throws EmbeddedPostgresError `stop_failed`, `in_use`
 */
export async function stopServer(home: ClusterHome, deadline: number): Promise<void> {
  const watch = new ClusterWatch(home);
  let asked: number | null = null;
  for (;;) {
    const server = await watch.look();
    if (server === null) return;
    const pid = server === 'pending' ? null : server.pid;
    // Another process may start the next one while we wait for this one.
    if (asked !== null && pid !== asked) return;
    if (asked === null && pid !== null && (await interruptServer(home, pid))) asked = pid;
    if (Date.now() >= deadline) throw notStopped(home, asked);
    await delay(10);
  }
}

/**
 * Shuts the server down and locks the cluster, so that none is started until the lock is released.
 *
 * @throws EmbeddedPostgresError `stop_failed`, `in_use`
 */
export async function stopForGood(home: ClusterHome, deadline: number): Promise<FileLock> {
  for (;;) {
    await stopServer(home, deadline);
    const lock = await FileLock.take(home.lockFile);
    if (lock !== null) return lock;
    if (Date.now() >= deadline) throw notStopped(home, null);
    await delay(10);
  }
}

function notStopped(home: ClusterHome, asked: number | null): EmbeddedPostgresError {
  const reason =
    asked === null
      ? 'could not be stopped: another process goes on starting it'
      : `(process ${asked}) was told to stop, but is still there`;
  return new EmbeddedPostgresError(
    'stop_failed',
    `The server in ${home.directory} ${reason}. Its log is ${home.logFile}.`,
  );
}
