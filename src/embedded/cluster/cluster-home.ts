import { createHash } from 'node:crypto';
import { access, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { systemErrorCode } from '../system/system-error-code.ts';

/** The paths of one cluster, which exists completely or not at all, since it is renamed into place. */
export class ClusterHome {
  /** Holds the clusters that root creates for directories that PostgreSQL's user can't enter. */
  static readonly shared = '/var/lib/synth-lab-data';

  /** The folder that holds the cluster and, temporarily, unfinished and removed ones. */
  readonly directory: string;
  /** The folder of the cluster, which holds the following paths. */
  readonly cluster: string;
  /** PostgreSQL's data directory. */
  readonly data: string;
  /** PostgreSQL's lock file, with the server's process id, port and status. */
  readonly postmasterFile: string;
  /** Locked by the process that starts the server, then by the server. */
  readonly lockFile: string;
  readonly passwordFile: string;
  readonly logFile: string;
  /** Whether it substitutes for a directory that the server's user can't enter. */
  readonly substitute: boolean;

  constructor(directory: string, cluster = join(directory, 'cluster')) {
    this.substitute = dirname(directory) === ClusterHome.shared;
    this.directory = directory;
    this.cluster = cluster;
    this.data = join(cluster, 'data');
    this.postmasterFile = join(this.data, 'postmaster.pid');
    this.lockFile = join(cluster, 'lock');
    this.passwordFile = join(cluster, 'password');
    this.logFile = join(cluster, 'server.log');
  }

  /** Returns the homes that the cluster of `directory` may have. The directory need not exist. */
  static async of(directory: string): Promise<{ own: ClusterHome; substitute: ClusterHome | null }> {
    const real = await canonical(resolve(directory));
    if (process.getuid?.() !== 0) return { own: new ClusterHome(real), substitute: null };
    const hash = createHash('sha256').update(real).digest('hex').slice(0, 12);
    return { own: new ClusterHome(real), substitute: new ClusterHome(join(ClusterHome.shared, hash)) };
  }

  /** Returns the home of the cluster of `directory`; null when it has none. */
  static async find(directory: string): Promise<ClusterHome | null> {
    const { own, substitute } = await ClusterHome.of(directory);
    if (await own.exists()) return own;
    return substitute !== null && (await substitute.exists()) ? substitute : null;
  }

  /** Whether the cluster exists. */
  async exists(): Promise<boolean> {
    try {
      await access(this.cluster);
      return true;
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return false;
      throw error;
    }
  }
}

/** Resolves symbolic links, also when the last parts of the path do not exist. The name of the substitute is derived from the result. */
async function canonical(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    return join(await canonical(dirname(path)), basename(path));
  }
}
