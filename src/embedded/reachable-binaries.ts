import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readBinaries, type Binaries } from './binaries.ts';
import { ClusterHome } from './cluster-home.ts';
import { reachable } from './reachable.ts';
import { renameUnlessTaken } from './rename-unless-taken.ts';
import { runProgram } from './run-program.ts';
import type { ServerUser } from './server-user.ts';

/**
 * Binaries that `user` can run: these, or a copy of them in a place open to all, made once for each version. For root
 * alone, who may write there.
 */
export async function reachableBinaries(binaries: Binaries, user: ServerUser): Promise<Binaries> {
  if (await reachable(binaries.initdb, user)) return binaries;
  const folder = join(ClusterHome.shared, 'binaries');
  const destination = join(folder, `${basename(binaries.directory)}-${binaries.version}`);
  const kept = await readBinaries(destination);
  if (kept !== null) return kept;
  await mkdir(folder, { recursive: true });
  const staging = await mkdtemp(join(folder, 'copy-'));
  try {
    await cp(binaries.directory, staging, { recursive: true, verbatimSymlinks: true });
    // Their modes, and the caller's umask, may be what kept the user out. The shared folder is ours to open as well.
    await runProgram('chmod', ['-R', 'a+rX', staging]);
    await runProgram('chmod', ['a+rx', ClusterHome.shared, folder]);
    await renameUnlessTaken(staging, destination);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return (await readBinaries(destination)) ?? binaries;
}
