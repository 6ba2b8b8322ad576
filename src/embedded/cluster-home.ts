import { createHash } from 'node:crypto';
import { access, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { systemErrorCode } from './system-error-code.ts';

/** Where the files of one cluster lie. It is there whole or not at all, since it is renamed into its place. */
export class ClusterHome {
  /** What root uses instead of a directory that PostgreSQL's user cannot reach. */
  static readonly shared = '/var/lib/synth-lab-data';

  /** The folder that holds the cluster and, for a while, unfinished and removed ones. */
  readonly directory: string;
  /** Holds all that follow. */
  readonly cluster: string;
  /** PostgreSQL's own data directory. */
  readonly data: string;
  /** PostgreSQL's lock file, with its server's process id, port and status. */
  readonly postmasterFile: string;
  /** Locked by whoever starts the server, and from then on by the server. */
  readonly lockFile: string;
  readonly passwordFile: string;
  readonly logFile: string;
  /** Whether it stands in for a directory that the server's user cannot enter. */
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

  /** The homes that the cluster of `directory` may have, the likelier first. The directory need not exist. */
  static async of(directory: string): Promise<{ own: ClusterHome; substitute: ClusterHome | null }> {
    const real = await canonical(resolve(directory));
    if (process.getuid?.() !== 0) return { own: new ClusterHome(real), substitute: null };
    const hash = createHash('sha256').update(real).digest('hex').slice(0, 12);
    return { own: new ClusterHome(real), substitute: new ClusterHome(join(ClusterHome.shared, hash)) };
  }

  /** The home in which `directory`'s cluster is, or null if it has none yet. */
  static async find(directory: string): Promise<ClusterHome | null> {
    const { own, substitute } = await ClusterHome.of(directory);
    if (await own.exists()) return own;
    return substitute !== null && (await substitute.exists()) ? substitute : null;
  }

  /** Whether the cluster has been made. */
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

/** One name for one directory, whichever symbolic links led to it: the substitute's name is made from it. */
async function canonical(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    return join(await canonical(dirname(path)), basename(path));
  }
}
