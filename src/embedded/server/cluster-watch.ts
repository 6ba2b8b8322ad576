import type { ClusterHome } from '../cluster/cluster-home.ts';
import { EmbeddedPostgresError } from '../errors/embedded-postgres-error.ts';
import { FileLock } from '../system/file-lock.ts';
import { readPostmaster, type Postmaster } from './postmaster.ts';
import { findRunningServer } from './find-running-server.ts';

/** How long an invisible server may hold the lock. The last processes of a killed server end sooner. */
const graceMs = 5_000;

/** Polls the state of one cluster without changing it. */
export class ClusterWatch {
  readonly #home: ClusterHome;
  #unseenSince: number | null = null;

  constructor(home: ClusterHome) {
    this.#home = home;
  }

  /**
   * Returns the cluster's server; `pending` when the cluster is locked and no server is visible, usually because it is starting; null when
   * no server runs.
   *
   * @throws EmbeddedPostgresError `in_use` when an invisible server has held the lock for 5 s.
   */
  async poll(): Promise<Postmaster | 'pending' | null> {
    const server = await findRunningServer(this.#home);
    if (server !== null) return server;
    if (!(await FileLock.isHeld(this.#home.lockFile))) return null;
    // A starting process first deletes the file that a killed server left.
    const isNamed = (await readPostmaster(this.#home)) !== null;
    this.#unseenSince = isNamed ? (this.#unseenSince ?? Date.now()) : null;
    if (this.#unseenSince !== null && Date.now() - this.#unseenSince >= graceMs) {
      throw new EmbeddedPostgresError(
        'in_use',
        `The cluster in ${this.#home.directory} is in use by a server that is not visible to this process. If it runs in ` +
          'another container, stop it there, or use its URL. If it was killed, end its remaining processes.',
      );
    }
    return 'pending';
  }
}
