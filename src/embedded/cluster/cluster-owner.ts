import { stat } from 'node:fs/promises';
import type { ClusterHome } from './cluster-home.ts';
import type { ServerUser } from '../system/server-user.ts';
import { userForNewCluster } from '../system/user-for-new-cluster.ts';

/** Returns the owner of the cluster's files, as whom PostgreSQL requires its server to run; null for the user of this process. */
export async function clusterOwner(home: ClusterHome): Promise<ServerUser | null> {
  if (process.getuid?.() !== 0) return null;
  const { uid, gid } = await stat(home.data);
  return uid === 0 ? await userForNewCluster() : { uid, gid };
}
