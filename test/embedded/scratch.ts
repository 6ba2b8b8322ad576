import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, onTestFinished } from 'vitest';
import { EmbeddedPostgres } from '../../src/embedded/index.ts';

const made = new Set<string>();
let mould: Promise<string> | null = null;

/** An empty directory, not made yet, that everybody may enter. Gone after the test, with a server that it may hold. */
export async function scratch(): Promise<string> {
  const parent = await openDirectory();
  const directory = join(parent, 'postgres');
  onTestFinished(async () => {
    await EmbeddedPostgres.remove({ directory });
    await rm(parent, { recursive: true, force: true });
  });
  return directory;
}

/**
 * Such a directory, with a cluster in it that was stopped in good order: quicker than making one for each test. By default, no other
 * server takes its last port while it is stopped: new clusters take the first free port from 15432.
 */
export async function scratchCluster(lastPort = randomInt(20_000, 30_000)): Promise<string> {
  mould ??= makeMould();
  const from = await mould;
  const directory = await scratch();
  await mkdir(directory);
  await promisify(execFile)('cp', ['-a', join(from, 'cluster'), directory]);
  const optionsFile = join(directory, 'cluster/data/postmaster.opts');
  const options = await readFile(optionsFile, 'utf8');
  await writeFile(optionsFile, options.replace(/"port=\d+"/, `"port=${lastPort}"`));
  return directory;
}

async function makeMould(): Promise<string> {
  const directory = join(await openDirectory(), 'mould');
  const server = await EmbeddedPostgres.start({ directory, settings: { fsync: 'off' } });
  await server.stop();
  return directory;
}

async function openDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'synth-lab-'));
  made.add(directory);
  await chmod(directory, 0o755);
  return directory;
}

afterAll(async () => {
  for (const directory of made) await rm(directory, { recursive: true, force: true });
});
