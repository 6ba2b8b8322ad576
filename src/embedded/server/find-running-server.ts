import type { ClusterHome } from '../cluster/cluster-home.ts';
import { readPostmaster, type Postmaster } from './postmaster.ts';
import { isServer } from './server-process.ts';

/**
 * Returns the server of a cluster when it is visible to this process. Null when none runs, or it runs in another container, or it has not
 * written its lock file yet; `FileLock.isHeld` distinguishes the first case.
 */
export async function findRunningServer(home: ClusterHome): Promise<Postmaster | null> {
  for (;;) {
    const named = await readPostmaster(home);
    if (named === null || !(await isServer(home, named.pid))) return null;
    // The file may be that of a killed server whose process id was reused, as in a restarted container. A start deletes it, so what is
    // read after the check was written by the checked process.
    const confirmed = await readPostmaster(home);
    if (confirmed?.pid === named.pid) return confirmed;
  }
}
