import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterHome } from './cluster-home.ts';

/** Returns the major version of PostgreSQL that created the cluster. */
export async function clusterMajor(home: ClusterHome): Promise<number> {
  return Number.parseInt(await readFile(join(home.data, 'PG_VERSION'), 'utf8'), 10);
}
