import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterHome } from './cluster-home.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { readPostmaster } from './postmaster.ts';
import { systemErrorCode } from './system-error-code.ts';

/**
 * Shuts a cluster's server down, as `pg_ctl stop -m fast` does: clients are cut off, their transactions rolled back,
 * everything is written out. Without a server it does nothing.
 *
 * @throws EmbeddedPostgresError `stop_failed`
 */
export async function stopServer(home: ClusterHome, deadline: number): Promise<void> {
  let asked = 0;
  for (;;) {
    const postmaster = await readPostmaster(home.data);
    if (postmaster === null || !postmaster.running) return;
    // Another process may start the next one while we wait for this one.
    if (asked !== 0 && postmaster.pid !== asked) return;
    if (asked === 0) {
      interrupt(home, postmaster.pid);
      asked = postmaster.pid;
    }
    if (Date.now() >= deadline) {
      throw new EmbeddedPostgresError(
        'stop_failed',
        `The server in ${home.directory} (process ${asked}) was told to stop, but is still there. Its log is ${home.logFile}.`,
      );
    }
    await delay(5);
  }
}

function interrupt(home: ClusterHome, pid: number): void {
  try {
    process.kill(pid, 'SIGINT');
  } catch (error) {
    if (systemErrorCode(error) === 'ESRCH') return;
    throw new EmbeddedPostgresError(
      'stop_failed',
      `The server in ${home.directory} (process ${pid}) belongs to another user; stop it as that one.`,
      { cause: error },
    );
  }
}
