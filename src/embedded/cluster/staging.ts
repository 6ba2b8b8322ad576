import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ClusterHome } from './cluster-home.ts';
import { FileLock } from '../system/file-lock.ts';
import { systemErrorCode } from '../system/system-error-code.ts';

/**
 * A folder beside the cluster that is being created (`new`) or deleted (`old`). The process that does so holds its lock; without a lock it
 * is a leftover.
 */
export interface StagingFolder {
  readonly home: ClusterHome;
  readonly purpose: 'new' | 'old';
  /** The time of its creation, in milliseconds since 1970. */
  readonly since: number;
}

/** Returns an unused path for a staging folder, without creating it. */
export function stagingPath(directory: string, purpose: StagingFolder['purpose']): string {
  return join(directory, `cluster.${purpose}-${Date.now()}-${randomBytes(8).toString('hex')}`);
}

/** Creates a staging folder for a new cluster, and locks it. */
export async function createStaging(directory: string): Promise<{ home: ClusterHome; lock: FileLock }> {
  for (;;) {
    const home = new ClusterHome(directory, stagingPath(directory, 'new'));
    await mkdir(home.cluster);
    const lock = await FileLock.tryAcquire(home.lockFile).catch((error: unknown) => {
      // Another process removed it as a leftover before it was locked.
      if (systemErrorCode(error) === 'ENOENT') return null;
      throw error;
    });
    if (lock !== null) return { home, lock };
    await rm(home.cluster, { recursive: true, force: true });
  }
}

/** Returns the staging folders in `directory`, oldest first. */
export async function listStaging(directory: string): Promise<StagingFolder[]> {
  const found: StagingFolder[] = [];
  for (const name of await readdir(directory)) {
    const [, purpose, since] = /^cluster\.(new|old)-(\d+)-[\w-]+$/.exec(name) ?? [];
    if (purpose !== 'new' && purpose !== 'old') continue;
    found.push({ home: new ClusterHome(directory, join(directory, name)), purpose, since: Number(since) });
  }
  return found.toSorted((a, b) => a.since - b.since || (nameOf(a.home) < nameOf(b.home) ? -1 : 1));
}

/** Whether another process is creating a cluster in the same directory, and began before `home`. */
export async function isEarlierCreationRunning(home: ClusterHome): Promise<boolean> {
  for (const other of await listStaging(home.directory)) {
    if (other.home.cluster === home.cluster) return false;
    if (other.purpose === 'new' && (await FileLock.isHeld(other.home.lockFile))) return true;
  }
  return false;
}

function nameOf(home: ClusterHome): string {
  return basename(home.cluster);
}
