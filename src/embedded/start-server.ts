import { spawn, type ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isNativeError } from 'node:util/types';
import type { Binaries } from './binaries.ts';
import type { ClusterHome } from './cluster-home.ts';
import { EmbeddedPostgresError } from './errors.ts';
import type { FileLock } from './file-lock.ts';
import { freePort, isFree } from './free-port.ts';
import { readPostmaster, type Postmaster } from './postmaster.ts';
import { runningServer } from './running-server.ts';
import { serverEnvironment } from './server-environment.ts';
import { ServerLog } from './server-log.ts';
import type { ServerUser } from './server-user.ts';

/** How long the port of a killed server is waited for. Not longer, since it may as well be another program's by now. */
const portGraceMs = 2_000;

/**
 * Starts the server of a cluster whose lock the caller holds, and waits until it accepts connections. The server
 * inherits the lock, and runs in a session of its own, so that it outlives the caller. Null if a server runs that has
 * no lock, since it was started by hand or by an earlier version: join that one.
 *
 * `pg_ctl` is passed over on purpose: it looks for the server every 100 ms only, and puts settings through a shell.
 *
 * @throws EmbeddedPostgresError `start_failed`
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
  if ((await runningServer(home)) !== null) return null;
  const isKilled = (await readPostmaster(home)) !== null;
  // PostgreSQL believes this file while any process has its id. Nothing of the server that wrote it is left, or the lock
  // would be held. Another one's shared memory, which PostgreSQL finds without the file, still keeps a second one out.
  await rm(home.postmasterFile, { force: true });
  for (;;) {
    const port = await freePort(options.port);
    if (port === null)
      throw new EmbeddedPostgresError('start_failed', 'None of the ports 15432 to 15531 is free.');
    if (isKilled && options.port !== null && port !== options.port && Date.now() < begun + portGraceMs) {
      // Moving away from it would be for nothing.
      await delay(50);
      continue;
    }
    const log = await ServerLog.open(home);
    try {
      const server = launch(home, { ...options, port, log, lock });
      const postmaster = await untilReady(home, server, deadline);
      if (postmaster !== null) {
        server.unref();
        return postmaster;
      }
      // Taken since we looked: look again.
      if (!(await isFree(port)) && Date.now() < deadline) continue;
      throw failure(home, `It ended at once. ${await log.ending()}`);
    } catch (error) {
      if (error instanceof EmbeddedPostgresError) throw error;
      throw failure(home, isNativeError(error) ? error.message : String(error), error);
    } finally {
      await log.close();
    }
  }
}

function launch(
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
  // The last of a name counts, so these are ours, and keptPort looks for the port at the end.
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
    // PostgreSQL leaves the fourth alone, and hands it on to all of its processes.
    stdio: ['ignore', options.log.descriptor, options.log.descriptor, options.lock.descriptor],
    env: serverEnvironment,
    ...(options.user && { uid: options.user.uid, gid: options.user.gid }),
  });
}

/** Null if it ended. Rejects if it cannot be run, or is not ready in time; it is left to go on then. */
async function untilReady(
  home: ClusterHome,
  server: ChildProcess,
  deadline: number,
): Promise<Postmaster | null> {
  const { promise: failed, reject } = Promise.withResolvers<never>();
  server.once('error', reject);
  // Raced below; a rejection between two races is not an unhandled one.
  failed.catch(() => {});
  while (server.exitCode === null && server.signalCode === null) {
    const postmaster = await readPostmaster(home);
    if (postmaster?.pid === server.pid && postmaster?.status === 'ready') return postmaster;
    if (Date.now() >= deadline) {
      server.unref();
      throw failure(home, `It is not ready yet, and goes on; try again later. Its log is ${home.logFile}.`);
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
