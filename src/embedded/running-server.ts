import type { ClusterHome } from './cluster-home.ts';
import { readPostmaster, type Postmaster } from './postmaster.ts';
import { isServer } from './server-process.ts';

/**
 * Returns the server that runs on a cluster, as far as this process can see it. Null: none runs, or it runs in another
 * container, or it has not written its lock file yet; `FileLock.isHeld` tells the first from the others.
 */
export async function runningServer(home: ClusterHome): Promise<Postmaster | null> {
  for (;;) {
    const named = await readPostmaster(home);
    if (named === null || !(await isServer(home, named.pid))) return null;
    // The file may have been a killed server's whose id the new one got, as it does in a restarted container. That file
    // is deleted before a server is started, so what is read after the check was written by the process that was checked.
    const confirmed = await readPostmaster(home);
    if (confirmed?.pid === named.pid) return confirmed;
  }
}
