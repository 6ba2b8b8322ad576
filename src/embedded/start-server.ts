import { spawn, type ChildProcess } from 'node:child_process';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Binaries } from './binaries.ts';
import type { ClusterHome } from './cluster-home.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { freePort } from './free-port.ts';
import { readPostmaster, type Postmaster } from './postmaster.ts';
import { serverEnvironment } from './server-environment.ts';
import { ServerLog } from './server-log.ts';
import type { ServerUser } from './server-user.ts';

/** How long the children of a killed server, and its lock file, are waited for. */
const graceMs = 5_000;
/** The same for its port: less, since it may as well be another program's by now. */
const portGraceMs = 2_000;

/**
 * Starts a cluster's server in a session of its own, so that it outlives the caller, and waits until it takes
 * connections. Null if another process was faster: join its server.
 *
 * `pg_ctl` is passed over on purpose: it looks for the server every 100 ms only, puts settings through a shell, and
 * does not let us say which process is known to be dead.
 *
 * @throws EmbeddedPostgresError `start_failed`
 */
export async function startServer(
  home: ClusterHome,
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
  for (;;) {
    const left = await readPostmaster(home.data);
    if (left?.running) return null;
    if (left?.pid === 0) await removeEmptyLock(home.data);
    const port = await freePort(options.port);
    if (port === null)
      throw new EmbeddedPostgresError('start_failed', 'None of the ports 15432 to 15531 is free.');
    if (left !== null && options.port !== null && port !== options.port && Date.now() < begun + portGraceMs) {
      // A server that was killed may hold its port for a moment; moving away from it would be for nothing.
      await delay(50);
      continue;
    }
    const log = await ServerLog.open(home);
    try {
      const server = launch(home, { ...options, port, deadPid: left?.pid ?? 0, descriptor: log.descriptor });
      const postmaster = await untilReady(home, server, deadline);
      if (postmaster !== null) {
        server.unref();
        return postmaster;
      }
      const other = await readPostmaster(home.data);
      if (other?.running) return null;
      const said = await log.added();
      // Taken since we looked: look again.
      if (said.includes('Address already in use') && Date.now() < deadline) continue;
      // The lock file is still that of the killed server, whose children are not all gone.
      if (other !== null && Date.now() < begun + graceMs) {
        await delay(100);
        continue;
      }
      throw failure(home, `It ended at once. ${await log.ending()}`);
    } catch (error) {
      if (error instanceof EmbeddedPostgresError) throw error;
      throw failure(home, error instanceof Error ? error.message : String(error), error);
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
    deadPid: number;
    descriptor: number;
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
    stdio: ['ignore', options.descriptor, options.descriptor],
    env: {
      ...serverEnvironment,
      // PostgreSQL believes a lock file whose process lives. In this variable pg_ctl names a process that is no server
      // for sure; so do we, when the id in the file has passed to someone else. All its other checks stay in force.
      ...(options.deadPid > 0 && { PG_GRANDPARENT_PID: String(options.deadPid) }),
    },
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
    const postmaster = await readPostmaster(home.data);
    if (postmaster?.pid === server.pid && postmaster?.status === 'ready') return postmaster;
    if (Date.now() >= deadline) {
      server.unref();
      throw failure(home, `It is not ready yet, and goes on; try again later. Its log is ${home.logFile}.`);
    }
    await Promise.race([failed, delay(5)]);
  }
  return null;
}

/**
 * A server that dies between making its lock file and writing into it blocks all later ones. The two are
 * microseconds apart, so an empty file of some age is nobody's.
 */
async function removeEmptyLock(dataDirectory: string): Promise<void> {
  const path = join(dataDirectory, 'postmaster.pid');
  const { mtimeMs, size } = await stat(path);
  if (size === 0 && Date.now() - mtimeMs > graceMs) await rm(path);
}

function failure(home: ClusterHome, reason: string, cause?: unknown): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'start_failed',
    `The server in ${home.directory} did not start. ${reason}`,
    { cause },
  );
}
