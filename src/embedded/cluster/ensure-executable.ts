import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readBinaries, type Binaries } from '../binaries/binaries.ts';
import { ClusterHome } from './cluster-home.ts';
import { canExecute } from '../system/can-execute.ts';
import { renameUnlessExists } from '../system/rename-unless-exists.ts';
import { runProgram } from '../system/run-program.ts';
import type { ServerUser } from '../system/server-user.ts';

/** Returns binaries that `user` can execute: the given ones, or a shared copy that is created once for each version. Called by root only. */
export async function ensureExecutable(binaries: Binaries, user: ServerUser): Promise<Binaries> {
  if (await canExecute(binaries.initdb, user)) return binaries;
  const folder = join(ClusterHome.shared, 'binaries');
  const destination = join(folder, `${basename(binaries.directory)}-${binaries.version}`);
  const copied = await readBinaries(destination);
  if (copied !== null) return copied;
  await mkdir(folder, { recursive: true });
  const staging = await mkdtemp(join(folder, 'copy-'));
  try {
    await cp(binaries.directory, staging, { recursive: true, verbatimSymlinks: true });
    // Their modes, or the caller's umask, may exclude the user.
    await runProgram('chmod', ['-R', 'a+rX', staging]);
    await runProgram('chmod', ['a+rx', ClusterHome.shared, folder]);
    await renameUnlessExists(staging, destination);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return (await readBinaries(destination)) ?? binaries;
}
