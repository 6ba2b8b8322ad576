import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { awaitServer } from './server/await-server.ts';
import { ClusterHome } from './cluster/cluster-home.ts';
import { clusterMajor } from './cluster/cluster-major.ts';
import { clusterOwner } from './cluster/cluster-owner.ts';
import { EmbeddedPostgresError } from './errors/embedded-postgres-error.ts';
import { FileLock } from './system/file-lock.ts';
import { findInstalledBinaries } from './binaries/find-installed-binaries.ts';
import { readLastPort } from './server/read-last-port.ts';
import { locateBinaries } from './binaries/locate-binaries.ts';
import { createCluster } from './cluster/create-cluster.ts';
import { createHome } from './cluster/create-home.ts';
import type { Postmaster } from './server/postmaster.ts';
import { ensureExecutable } from './cluster/ensure-executable.ts';
import { removeLeftovers } from './cluster/remove-leftovers.ts';
import { userForNewCluster } from './system/user-for-new-cluster.ts';
import { startServer } from './server/start-server.ts';

/** A server that accepts connections. */
export interface StartedCluster {
  readonly home: ClusterHome;
  readonly postmaster: Postmaster;
  /** Whether this call started it; false when it was running. */
  readonly started: boolean;
  readonly notices: readonly string[];
}

/** Implements `EmbeddedPostgres.start`: joins the running server, or creates the cluster if needed and starts its server. */
export async function startCluster(options: {
  directory: string;
  major?: number | undefined;
  binaries?: string | undefined;
  settings?: Readonly<Record<string, string>> | undefined;
  timeoutMs: number;
}): Promise<StartedCluster> {
  const { directory, settings = {}, timeoutMs } = options;
  const major = options.major ?? (await findInstalledBinaries())?.major;

  const existing = await ClusterHome.find(directory);
  if (existing !== null) {
    await requireMajor(existing, major);
    const postmaster = await awaitServer(existing, Date.now() + timeoutMs);
    if (postmaster !== null) return { home: existing, postmaster, started: false, notices: [] };
  }

  const user = existing === null ? await userForNewCluster() : await clusterOwner(existing);
  const into = options.binaries ?? join(resolve(directory), '..', 'binaries');
  const located = await locateBinaries({ major, into });
  const binaries = user === null ? located : await ensureExecutable(located, user);
  const home = existing ?? (await createHome(directory, user));
  await removeLeftovers(home.directory);

  const deadline = Date.now() + timeoutMs;
  if (existing === null) {
    await createCluster(home, { binaries, user, durable: settings['fsync'] !== 'off', deadline });
    // Another process may have created it, with other binaries.
    await requireMajor(home, major);
  }
  do {
    const lock = await FileLock.tryAcquire(home.lockFile);
    const port = await readLastPort(home.data);
    try {
      const own = lock && (await startServer(home, lock, { binaries, user, port, settings, deadline }));
      if (own !== null)
        return { home, postmaster: own, started: true, notices: notices(directory, home, port, own.port) };
    } finally {
      await lock?.release();
    }
    const joined = await awaitServer(home, deadline);
    if (joined !== null) return { home, postmaster: joined, started: false, notices: [] };
    // The other server has ended, or the lock was only checked. Jitter, since concurrent checks make each other's attempts fail.
    await delay(10 + Math.random() * 40);
  } while (Date.now() < deadline);
  throw new EmbeddedPostgresError(
    'start_failed',
    `The server in ${home.directory} was started repeatedly by other processes and did not stay up. Log: ${home.logFile}.`,
  );
}

async function requireMajor(home: ClusterHome, wanted: number | undefined): Promise<void> {
  const found = await clusterMajor(home);
  if (wanted === undefined || found === wanted) return;
  throw new EmbeddedPostgresError(
    'wrong_major',
    `The cluster in ${home.directory} was created by PostgreSQL ${found}, and PostgreSQL ${wanted} cannot use its files. ` +
      `Set PG_MAJOR=${found} to keep using it, or dump its data and move ${home.cluster} away to create a new one.`,
  );
}

function notices(directory: string, home: ClusterHome, lastPort: number | null, port: number): string[] {
  const found: string[] = [];
  if (home.substitute) {
    found.push(
      `PostgreSQL does not run as root, and its user cannot enter ${resolve(directory)}; ` +
        `its files are in ${home.directory}.`,
    );
  }
  if (lastPort !== null && lastPort !== port) {
    found.push(`Port ${lastPort} is in use by another process; the server now listens on ${port}.`);
  }
  return found;
}
