import { chmod, mkdir } from 'node:fs/promises';
import { ClusterHome } from './cluster-home.ts';
import { reachable } from './reachable.ts';
import type { ServerUser } from './server-user.ts';

/**
 * The home for a cluster that is to be made for `directory`; its folder is there then. It is `directory` itself,
 * unless that is closed to the user that the server will run as.
 */
export async function newHome(directory: string, user: ServerUser | null): Promise<ClusterHome> {
  await mkdir(directory, { recursive: true });
  const { own, substitute } = await ClusterHome.of(directory);
  if (user === null || substitute === null || (await reachable(own.directory, user))) return own;
  await mkdir(substitute.directory, { recursive: true });
  // The caller's umask may have closed them.
  await chmod(ClusterHome.shared, 0o755);
  await chmod(substitute.directory, 0o755);
  return substitute;
}
