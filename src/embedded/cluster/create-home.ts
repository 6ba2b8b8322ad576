import { chmod, mkdir } from 'node:fs/promises';
import { ClusterHome } from './cluster-home.ts';
import { canExecute } from '../system/can-execute.ts';
import type { ServerUser } from '../system/server-user.ts';

/** Creates the folder for a new cluster: `directory`, or its substitute when the server's user can't enter it. Returns its home. */
export async function createHome(directory: string, user: ServerUser | null): Promise<ClusterHome> {
  await mkdir(directory, { recursive: true });
  const { own, substitute } = await ClusterHome.of(directory);
  if (user === null || substitute === null || (await canExecute(own.directory, user))) return own;
  await mkdir(substitute.directory, { recursive: true });
  // The caller's umask may have restricted them.
  await chmod(ClusterHome.shared, 0o755);
  await chmod(substitute.directory, 0o755);
  return substitute;
}
