import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The lock file of a directory's server. */
export function pidFile(directory: string): string {
  return join(directory, 'cluster/data/postmaster.pid');
}

/** The process of a directory's running server. */
export async function postmasterPid(directory: string): Promise<number> {
  return Number.parseInt(await readFile(pidFile(directory), 'utf8'), 10);
}
