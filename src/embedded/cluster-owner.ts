import { stat } from 'node:fs/promises';
import type { ClusterHome } from './cluster-home.ts';
import { serverUser, type ServerUser } from './server-user.ts';

/**
 * Returns the user whom a cluster's server runs as: the owner of its files, which PostgreSQL insists on. Null stands for
 * the caller, who can be nobody else unless root.
 */
export async function clusterOwner(home: ClusterHome): Promise<ServerUser | null> {
  if (process.getuid?.() !== 0) return null;
  const { uid, gid } = await stat(home.data);
  return uid === 0 ? await serverUser() : { uid, gid };
}
