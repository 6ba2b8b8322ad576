import { readFile, rename, rm, rmdir } from 'node:fs/promises';
import { isNativeError } from 'node:util/types';
import { awaitServer } from './server/await-server.ts';
import { ClusterHome } from './cluster/cluster-home.ts';
import { clusterMajor } from './cluster/cluster-major.ts';
import { EmbeddedPostgresError } from './errors/embedded-postgres-error.ts';
import type { Postmaster } from './server/postmaster.ts';
import { stagingPath } from './cluster/staging.ts';
import { startCluster } from './start-cluster.ts';
import { stopAndLock, stopServer } from './server/stop-server.ts';
import { systemErrorCode } from './system/system-error-code.ts';

/** Which cluster to use, and how to start it. */
export interface EmbeddedPostgresOptions {
  /** The directory that holds the cluster, in a folder `cluster`. Created when missing. */
  readonly directory: string;
  /** The major version of PostgreSQL, 14 to 18. Default: that of the installed binaries; any other is downloaded once. */
  readonly major?: number | undefined;
  /** The directory of downloaded binaries. Default: `binaries` beside `directory`. */
  readonly binaries?: string | undefined;
  /**
   * Settings of the server, as in `postgresql.conf`: `{ fsync: 'off' }` for tests. They apply to this start; a running server keeps its
   * own. Listen addresses and port can't be set.
   */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** The timeout for creating, starting and stopping, each, in milliseconds. Default: 30,000. Downloads time out after 5 minutes. */
  readonly timeoutMs?: number | undefined;
}

/** Which cluster to use, without options for starting it. */
export type EmbeddedPostgresLocation = Pick<EmbeddedPostgresOptions, 'directory' | 'timeoutMs'>;

/**
 * A PostgreSQL server on this machine, from the binaries of the package `embedded-postgres`, for development and tests. It listens on the
 * loopback address, with a password. It outlives the process that started it, is shared by all processes that use the same directory, and
 * is durable: an acknowledged commit survives a crash, unless `settings` disable that. Runs on macOS and on Linux with glibc (not Alpine).
 *
 * A cluster has one server at a time, also across containers that share its directory: a call from another container rejects with
 * `in_use`. On a network file system this depends on its locks.
 *
 * Any number of processes may call `start` and `find` concurrently. Every method rejects with an `EmbeddedPostgresError`.
 */
export class EmbeddedPostgres {
  /** The URL for any client, with superuser, password and database. */
  readonly url: string;
  readonly port: number;
  readonly major: number;
  /**
   * The directory of the files. It differs from the requested one when root requested one that the server's user can't enter; either finds
   * the cluster.
   */
  readonly directory: string;
  readonly logFile: string;
  /** Whether this call started the server; false when it was running. */
  readonly started: boolean;
  /** Messages for the user, such as another directory or a changed port. Usually empty. */
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
   * Returns the server of a directory when it accepts connections: the running one, or a new one, on its previous port if that is free.
   * Creates the cluster on first use: UTF-8, collation by code point, data checksums.
   *
   * A cluster of another major version (`wrong_major`), or whose server runs in another container (`in_use`), is refused and not changed.
   * Removes what killed servers and calls left. Called by root, the server runs as the owner of the cluster; for a new one, as `postgres`
   * or else `nobody`.
   */
  static async start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    return await withDirectoryErrors(options.directory, async () => {
      const { home, postmaster, started, notices } = await startCluster({
        ...options,
        timeoutMs: options.timeoutMs ?? timeoutMs,
      });
      return await EmbeddedPostgres.#at(home, postmaster, { started, notices });
    });
  }

  /** Returns the running server of a directory, or null. Starts and creates nothing, and needs no binaries. */
  static async find(options: EmbeddedPostgresLocation): Promise<EmbeddedPostgres | null> {
    return await withDirectoryErrors(options.directory, async () => {
      const home = await ClusterHome.find(options.directory);
      if (home === null) return null;
      const postmaster = await awaitServer(home, deadline(options.timeoutMs));
      return postmaster === null ? null : await EmbeddedPostgres.#at(home, postmaster);
    });
  }

  /**
   * Stops the server of a directory, and deletes its cluster with all databases; waits for a server that is starting. Keeps other files of
   * the directory, such as downloaded binaries. A no-op without a cluster.
   */
  static async remove(options: EmbeddedPostgresLocation): Promise<void> {
    await withDirectoryErrors(options.directory, async () => {
      const home = await ClusterHome.find(options.directory);
      if (home === null) return;
      const lock = await stopAndLock(home, deadline(options.timeoutMs));
      try {
        // An atomic rename, so that an interrupted call leaves no partial cluster.
        const doomed = stagingPath(home.directory, 'old');
        await rename(home.cluster, doomed);
        await rm(doomed, { recursive: true, force: true, maxRetries: 3 });
      } finally {
        await lock.release();
      }
      if (home.substitute) await rmdir(home.directory);
    });
  }

  /** Stops the server for all processes, also one that was restarted since. Keeps the files. Signals no other process. */
  async stop(): Promise<void> {
    await withDirectoryErrors(this.directory, () => stopServer(this.#home, deadline()));
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

/** Runs `work`, and turns its errors of the file system into an `EmbeddedPostgresError` that names the directory. */
async function withDirectoryErrors<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof EmbeddedPostgresError || systemErrorCode(error) === undefined) throw error;
    throw new EmbeddedPostgresError(
      'directory_unusable',
      `The cluster in ${directory} is not accessible to this user: ${isNativeError(error) ? error.message : ''}. ` +
        'Check the permissions, or use another directory.',
      { cause: error },
    );
  }
}
