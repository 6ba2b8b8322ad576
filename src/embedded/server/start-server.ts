import { spawn, type ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isNativeError } from 'node:util/types';
import type { Binaries } from '../binaries/binaries.ts';
import type { ClusterHome } from '../cluster/cluster-home.ts';
import { EmbeddedPostgresError } from '../errors/embedded-postgres-error.ts';
import type { FileLock } from '../system/file-lock.ts';
import { findFreePort, isPortFree } from '../system/find-free-port.ts';
import { readPostmaster, type Postmaster } from './postmaster.ts';
import { findRunningServer } from './find-running-server.ts';
import { serverEnvironment } from '../system/server-environment.ts';
import { ServerLog } from './server-log.ts';
import type { ServerUser } from '../system/server-user.ts';

/** How long to wait for the port of a killed server, in milliseconds. Another program may have taken it by now. */
const portGraceMs = 2_000;

/**
 * Starts the server of a cluster whose lock the caller holds, and waits until it accepts connections. The server inherits the lock, and
 * runs in a separate session, so that it outlives the caller. Returns null when a server without a lock runs already, which was started by
 * hand or by an earlier version.
 *
 * It does not use `pg_ctl`, which polls every 100 ms only and passes settings through a shell.
 *
 * @throws EmbeddedPostgresError `start_failed`.
 */
export async function startServer(
  home: ClusterHome,
  lock: FileLock,
  options: {
    binaries: Binaries;
    user: ServerUser | null;
    port: number | null;
    settings: Readonly<Record<string, string>>;
    deadline: number;
  },
): Promise<Postmaster | null> {
  const { deadline } = options;
  const begun = Date.now();
  if ((await findRunningServer(home)) !== null) return null;
  const wasKilled = (await readPostmaster(home)) !== null;
  // PostgreSQL trusts this file while any process has its id. No process of the server that wrote it is left, or the lock would be held.
  // PostgreSQL still refuses a second server by its check of shared memory, which does not need the file.
  await rm(home.postmasterFile, { force: true });
  for (;;) {
    const port = await findFreePort(options.port);
    if (port === null)
      throw new EmbeddedPostgresError(
        'start_failed',
        'All ports from 15432 to 15531 are in use; stop another server.',
      );
    if (wasKilled && options.port !== null && port !== options.port && Date.now() < begun + portGraceMs) {
      // The port of the killed server will be free shortly.
      await delay(50);
      continue;
    }
    const log = await ServerLog.open(home);
    try {
      const server = spawnServer(home, { ...options, port, log, lock });
      const postmaster = await waitUntilReady(home, server, deadline);
      if (postmaster !== null) {
        server.unref();
        return postmaster;
      }
      // Another process took the port after the check.
      if (!(await isPortFree(port)) && Date.now() < deadline) continue;
      throw failure(home, `It exited immediately. ${await log.describeTail()}`);
    } catch (error) {
      if (error instanceof EmbeddedPostgresError) throw error;
      throw failure(home, isNativeError(error) ? error.message : String(error), error);
    } finally {
      await log.close();
    }
  }
}

function spawnServer(
  home: ClusterHome,
  options: {
    binaries: Binaries;
    user: ServerUser | null;
    port: number;
    settings: Readonly<Record<string, string>>;
    log: ServerLog;
    lock: FileLock;
  },
): ChildProcess {
  // The last value of a setting wins; `readLastPort` expects the port at the end.
  const settings = [
    ...Object.entries(options.settings),
    ['listen_addresses', '127.0.0.1'],
    ['unix_socket_directories', ''],
    ['port', String(options.port)],
  ];
  const args = settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return spawn(options.binaries.postgres, ['-D', home.data, ...args], {
    cwd: '/',
    detached: true,
    // PostgreSQL passes the fourth descriptor on to all of its processes.
    stdio: ['ignore', options.log.descriptor, options.log.descriptor, options.lock.descriptor],
    env: serverEnvironment,
    ...(options.user && { uid: options.user.uid, gid: options.user.gid }),
  });
}

/** Returns null when the server ended. Rejects when it can't be run, or is not ready in time; then it continues to start. */
async function waitUntilReady(
  home: ClusterHome,
  server: ChildProcess,
  deadline: number,
): Promise<Postmaster | null> {
  const { promise: failed, reject } = Promise.withResolvers<never>();
  server.once('error', reject);
  // Raced below; avoids an unhandled rejection between two races.
  failed.catch(() => {});
  while (server.exitCode === null && server.signalCode === null) {
    const postmaster = await readPostmaster(home);
    if (postmaster?.pid === server.pid && postmaster?.status === 'ready') return postmaster;
    if (Date.now() >= deadline) {
      server.unref();
      throw failure(
        home,
        `It is not ready yet and continues to start; try again later. Log: ${home.logFile}.`,
      );
    }
    await Promise.race([failed, delay(5)]);
  }
  return null;
}

function failure(home: ClusterHome, reason: string, cause?: unknown): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'start_failed',
    `The server in ${home.directory} did not start. ${reason}`,
    { cause },
  );
}
