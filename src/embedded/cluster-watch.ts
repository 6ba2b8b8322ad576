import type { ClusterHome } from './cluster-home.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { FileLock } from './file-lock.ts';
import { readPostmaster, type Postmaster } from './postmaster.ts';
import { runningServer } from './running-server.ts';

/** How long a lock may be held by a server that cannot be seen: the last processes of a killed one end in less. */
const graceMs = 5_000;

/** Repeated looks at one cluster. They change nothing. */
export class ClusterWatch {
  readonly #home: ClusterHome;
  #unseenSince: number | null = null;

  constructor(home: ClusterHome) {
    this.#home = home;
  }

  /**
   * Returns the cluster's server; `pending` if the cluster is locked and its server not to be seen, mostly since it is
   * about to start; null if there is none.
   *
   * @throws EmbeddedPostgresError `in_use` if it has been locked for 5 s by a server that cannot be seen
   */
  async look(): Promise<Postmaster | 'pending' | null> {
    const server = await runningServer(this.#home);
    if (server !== null) return server;
    if (!(await FileLock.isHeld(this.#home.lockFile))) return null;
    // Whoever starts a server first deletes the file that a killed one left.
    const isNamed = (await readPostmaster(this.#home)) !== null;
    this.#unseenSince = isNamed ? (this.#unseenSince ?? Date.now()) : null;
    if (this.#unseenSince !== null && Date.now() - this.#unseenSince >= graceMs) {
      throw new EmbeddedPostgresError(
        'in_use',
        `The cluster in ${this.#home.directory} is in use by a server that cannot be seen from here. It runs in ` +
          'another container: stop it there, or use its URL. Or it was killed, and one of its processes goes on: end that.',
      );
    }
    return 'pending';
  }
}
