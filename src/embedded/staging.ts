import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ClusterHome } from './cluster-home.ts';
import { FileLock } from './file-lock.ts';
import { systemErrorCode } from './system-error-code.ts';

/**
 * A folder beside the cluster that is not the cluster: one being made (`new`) or deleted (`old`). The process at work on
 * it holds the lock in it, which tells work from leftovers.
 */
export interface Staging {
  /** Its files lie as in a cluster. */
  readonly home: ClusterHome;
  readonly purpose: 'new' | 'old';
  /** When it was begun, in milliseconds since 1970. */
  readonly since: number;
}

/** Returns an unused path for a folder; nothing is created. */
export function stagingPath(directory: string, purpose: Staging['purpose']): string {
  return join(directory, `cluster.${purpose}-${Date.now()}-${randomBytes(8).toString('hex')}`);
}

/** Creates a folder for a new cluster, locked by this process. */
export async function beginStaging(directory: string): Promise<{ home: ClusterHome; lock: FileLock }> {
  for (;;) {
    const home = new ClusterHome(directory, stagingPath(directory, 'new'));
    await mkdir(home.cluster);
    const lock = await FileLock.take(home.lockFile).catch((error: unknown) => {
      // Before it was locked, it looked like a leftover to a process that clears those away.
      if (systemErrorCode(error) === 'ENOENT') return null;
      throw error;
    });
    if (lock !== null) return { home, lock };
    await rm(home.cluster, { recursive: true, force: true });
  }
}

/** Lists the folders in `directory`, the earliest first. */
export async function listStaging(directory: string): Promise<Staging[]> {
  const found: Staging[] = [];
  for (const name of await readdir(directory)) {
    const [, purpose, since] = /^cluster\.(new|old)-(\d+)-[\w-]+$/.exec(name) ?? [];
    if (purpose !== 'new' && purpose !== 'old') continue;
    found.push({ home: new ClusterHome(directory, join(directory, name)), purpose, since: Number(since) });
  }
  return found.toSorted((a, b) => a.since - b.since || (nameOf(a.home) < nameOf(b.home) ? -1 : 1));
}

/** Returns whether another process makes a cluster in the same directory and began before `home` was begun. */
export async function isMadeEarlier(home: ClusterHome): Promise<boolean> {
  for (const other of await listStaging(home.directory)) {
    if (other.home.cluster === home.cluster) return false;
    if (other.purpose === 'new' && (await FileLock.isHeld(other.home.lockFile))) return true;
  }
  return false;
}

function nameOf(home: ClusterHome): string {
  return basename(home.cluster);
}
