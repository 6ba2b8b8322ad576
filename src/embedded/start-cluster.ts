import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { awaitServer } from './await-server.ts';
import { ClusterHome } from './cluster-home.ts';
import { clusterMajor } from './cluster-major.ts';
import { clusterOwner } from './cluster-owner.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { FileLock } from './file-lock.ts';
import { installedBinaries } from './installed-binaries.ts';
import { keptPort } from './kept-port.ts';
import { locateBinaries } from './locate-binaries.ts';
import { makeCluster } from './make-cluster.ts';
import { newHome } from './new-home.ts';
import type { Postmaster } from './postmaster.ts';
import { reachableBinaries } from './reachable-binaries.ts';
import { removeLeftovers } from './remove-leftovers.ts';
import { serverUser } from './server-user.ts';
import { startServer } from './start-server.ts';

/** A server that takes connections, and how it came about. */
export interface StartedCluster {
  readonly home: ClusterHome;
  readonly postmaster: Postmaster;
  /** False if it was running already. */
  readonly started: boolean;
  readonly notices: readonly string[];
}

/** What `EmbeddedPostgres.start` promises, step by step: join, else make, else start. */
export async function startCluster(options: {
  directory: string;
  major?: number | undefined;
  binaries?: string | undefined;
  settings?: Readonly<Record<string, string>> | undefined;
  timeoutMs: number;
}): Promise<StartedCluster> {
  const { directory, settings = {}, timeoutMs } = options;
  const major = options.major ?? (await installedBinaries())?.major;

  const existing = await ClusterHome.find(directory);
  if (existing !== null) {
    await requireMajor(existing, major);
    const postmaster = await awaitServer(existing, Date.now() + timeoutMs);
    if (postmaster !== null) return { home: existing, postmaster, started: false, notices: [] };
  }

  const user = existing === null ? await serverUser() : await clusterOwner(existing);
  const into = options.binaries ?? join(resolve(directory), '..', 'binaries');
  const located = await locateBinaries({ major, into });
  const binaries = user === null ? located : await reachableBinaries(located, user);
  const home = existing ?? (await newHome(directory, user));
  await removeLeftovers(home.directory);

  const deadline = Date.now() + timeoutMs;
  if (existing === null) {
    await makeCluster(home, { binaries, user, durable: settings['fsync'] !== 'off', deadline });
    // Another process may have made it, with other binaries.
    await requireMajor(home, major);
  }
  do {
    const lock = await FileLock.take(home.lockFile);
    const port = await keptPort(home.data);
    try {
      const own = lock && (await startServer(home, lock, { binaries, user, port, settings, deadline }));
      if (own !== null)
        return { home, postmaster: own, started: true, notices: notices(directory, home, port, own.port) };
    } finally {
      await lock?.release();
    }
    const joined = await awaitServer(home, deadline);
    if (joined !== null) return { home, postmaster: joined, started: false, notices: [] };
    // The other one's server is gone already, or the lock was only looked at. Many that try again together would look, and
    // so be in each other's way, at the same time.
    await delay(10 + Math.random() * 40);
  } while (Date.now() < deadline);
  throw new EmbeddedPostgresError(
    'start_failed',
    `The server in ${home.directory} was started by others again and again, and did not last. Its log is ${home.logFile}.`,
  );
}

async function requireMajor(home: ClusterHome, wanted: number | undefined): Promise<void> {
  const found = await clusterMajor(home);
  if (wanted === undefined || found === wanted) return;
  throw new EmbeddedPostgresError(
    'wrong_major',
    `The cluster in ${home.directory} was made by PostgreSQL ${found}, and ${wanted} cannot use its files. ` +
      `Set PG_MAJOR=${found} to go on with it, or dump what you need and move ${home.cluster} away for a new one.`,
  );
}

function notices(directory: string, home: ClusterHome, kept: number | null, port: number): string[] {
  const found: string[] = [];
  if (home.substitute) {
    found.push(
      `PostgreSQL does not run as root, and the user it runs as cannot enter ${resolve(directory)}: ` +
        `its files are in ${home.directory}.`,
    );
  }
  if (kept !== null && kept !== port) {
    found.push(`Port ${kept} is taken by another process: the server now listens on ${port}.`);
  }
  return found;
}
