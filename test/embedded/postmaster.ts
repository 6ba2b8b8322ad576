import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { EmbeddedPostgres } from '../../src/embedded/index.ts';

/** The lock file of a directory's server. */
export function pidFile(directory: string): string {
  return join(directory, 'cluster/data/postmaster.pid');
}

/** The user that the server of a directory runs as. */
export async function ownerOf(directory: string): Promise<{ uid: number; gid: number }> {
  const { uid, gid } = await stat(join(directory, 'cluster/data'));
  return { uid, gid };
}

/** The process of a directory's running server. */
export async function postmasterPid(directory: string): Promise<number> {
  return Number.parseInt(await readFile(pidFile(directory), 'utf8'), 10);
}

/** Ends a directory's server as a crash does, and waits for the end of that process. */
export async function crash(directory: string): Promise<void> {
  process.kill(await postmasterPid(directory), 'SIGKILL');
  await expect.poll(() => EmbeddedPostgres.find({ directory }), { interval: 1 }).toBeNull();
}

/** Makes a process stand still until the answered function is called, or the test ends in whatever way. */
export function freeze(pid: number): () => void {
  process.kill(pid, 'SIGSTOP');
  let frozen = true;
  const resume = (): void => {
    if (frozen) process.kill(pid, 'SIGCONT');
    frozen = false;
  };
  onTestFinished(resume);
  return resume;
}
