import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres, EmbeddedPostgresError } from '../embedded/index.ts';
import { projectDirectory } from '../settings/resolve.ts';
import { fragileSettings, type RunningServer } from './running-server.ts';

/** An embedded server of this run's own, in a temporary directory that goes with it. */
export async function embeddedServer(major: number | undefined): Promise<RunningServer> {
  await removeAbandoned();
  const directory = join(tmpdir(), `synthdb-test-${process.pid}-${randomBytes(4).toString('hex')}`);
  const { url } = await EmbeddedPostgres.start({
    directory,
    major,
    // Not beside the directory, as they would be by default: downloads are kept for the next run.
    binaries: join(projectDirectory(), '.data', 'binaries'),
    settings: fragileSettings,
  });
  // Ctrl-C, for one, ends a test runner before it stops the server, which would live on.
  const abandon = () => removeLater(directory);
  process.once('exit', abandon);
  const stop = async () => {
    process.off('exit', abandon);
    await remove(directory);
  };
  return { kind: 'embedded', url, origin: 'embedded', stop };
}

/** Stops the server of a directory that `embeddedServer` made, and deletes both. */
export async function remove(directory: string): Promise<void> {
  await EmbeddedPostgres.remove({ directory });
  await rm(directory, { recursive: true, force: true });
}

/** The same, by a process that outlives this one. */
function removeLater(directory: string): void {
  const [module, argument] = [import.meta.url, directory].map((text) => JSON.stringify(text));
  const script = `import { remove } from ${module}; await remove(${argument})`;
  const flags = ['--input-type=module', '--eval', script];
  spawn(process.execPath, flags, { detached: true, stdio: 'ignore' }).unref();
}

/** A run that is killed outright leaves its server running. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = /^synthdb-test-(\d+)-[0-9a-f]{8}$/.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    const directory = join(tmpdir(), name);
    const found = await stat(directory).catch(() => null);
    if (found === null || found.uid !== process.getuid?.()) continue;
    try {
      await remove(directory);
    } catch (error) {
      // Another run that begins now removes it too, and one of the two comes second.
      if (!(error instanceof EmbeddedPostgresError)) throw error;
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, as somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
