import { once } from 'node:events';
import { chown, mkdir, mkdtemp, readdir, rename, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, afterEach, describe, expect, test } from 'vitest';
import { RunDirectory } from '../../src/testing/run-directory.ts';
import { ownProcessIds, whyNoNamespaces } from './other-run.ts';
import { nextLine, runModule } from './run-script.ts';

const [today, longAgo] = [new Date(), new Date(Date.now() - 25 * 3_600_000)];
const module = JSON.stringify(new URL('../../src/testing/run-directory.ts', import.meta.url).href);

let parent: string;
beforeEach(async () => void (parent = await mkdtemp(join(tmpdir(), 'synth-lab-runs-'))));
afterEach(() => rm(parent, { recursive: true }));

/** A directory of another process, which holds it for as long as it lives. */
async function elsewhere(wrapper: readonly string[] = []) {
  const script = `const { RunDirectory } = await import(${module});
    console.log((await RunDirectory.create(${JSON.stringify(parent)})).path);
    setInterval(() => {}, 1_000);`;
  const process = runModule(script, {}, wrapper);
  const path = await nextLine(process);
  const kill = async (): Promise<void> => {
    if (process.exitCode !== null || process.signalCode !== null) return;
    const ended = once(process, 'exit');
    process.kill('SIGKILL');
    await ended;
  };
  return { path, process, kill, [Symbol.asyncDispose]: kill };
}

/** Returns the directories that a process in another process id namespace considers abandoned. */
async function abandonedFromContainer(): Promise<unknown> {
  const script = `const { RunDirectory } = await import(${module});
    console.log(JSON.stringify(await RunDirectory.abandoned(${JSON.stringify(parent)})));`;
  return JSON.parse(await nextLine(runModule(script, {}, ownProcessIds)));
}

/** Creates a directory of a run without a pipe. */
async function make(name: string, since: Date): Promise<string> {
  const path = join(parent, name);
  await mkdir(path);
  await utimes(path, since, since);
  return path;
}

describe('the directory of a run is abandoned', () => {
  test('once its process has ended, and not before', async () => {
    await using run = await elsewhere();
    expect(await RunDirectory.abandoned(parent)).toEqual([]);

    await run.kill();

    expect(await RunDirectory.abandoned(parent)).toEqual([run.path]);
  });

  test('not while its process is suspended, regardless of its age', async () => {
    await using run = await elsewhere();
    run.process.kill('SIGSTOP');
    await utimes(run.path, longAgo, longAgo);

    expect(await RunDirectory.abandoned(parent)).toEqual([]);
  });

  test('once its container has ended, for all containers that share the directory', async ({ skip }) => {
    if (whyNoNamespaces) skip(whyNoNamespaces);
    await using first = await elsewhere();
    await using second = await elsewhere(ownProcessIds);
    expect(await RunDirectory.abandoned(parent)).toEqual([]);
    expect(await abandonedFromContainer()).toEqual([]);

    await second.kill();
    await expect.poll(() => RunDirectory.abandoned(parent)).toEqual([second.path]);
    expect(await abandonedFromContainer()).toEqual([second.path]);

    await first.kill();
    expect(await abandonedFromContainer()).toEqual(expect.arrayContaining([first.path, second.path]));
  });

  test('once it is closed', async () => {
    const directory = await RunDirectory.create(parent);
    expect(await RunDirectory.abandoned(parent)).toEqual([]);

    directory.close();

    expect(await RunDirectory.abandoned(parent)).toEqual([directory.path]);
  });

  test('after a day when another kernel created it, whose pipes can not be checked', async () => {
    const old = await make('synthdb-run-00000000-00000001', longAgo);
    const withPipe = await RunDirectory.create(parent);
    withPipe.close();
    await rename(withPipe.path, join(parent, 'synthdb-run-00000000-00000002'));

    expect(await RunDirectory.abandoned(parent)).toEqual([old]);
  });

  test('after a day when it has no pipe, since it may be being created', async () => {
    (await RunDirectory.create(parent)).close();
    const [own = ''] = await readdir(parent);
    const old = await make(own.replace(/\w+$/, '00000001'), longAgo);
    await make(own.replace(/\w+$/, '00000002'), today);

    expect((await RunDirectory.abandoned(parent)).toSorted()).toEqual([join(parent, own), old].toSorted());
  });

  test('never with another name', async () => {
    for (const name of ['synthdb-run-mine', 'synthdb-run-00000000-00000001-mine', 'synthdb-test-1-00000001'])
      await make(name, longAgo);

    expect(await RunDirectory.abandoned(parent)).toEqual([]);
  });

  test('never when another user owns it', async ({ skip }) => {
    if (process.getuid?.() !== 0) skip('needs root');
    const foreign = await make('synthdb-run-00000000-00000001', longAgo);
    await chown(foreign, 1, 1);

    expect(await RunDirectory.abandoned(parent)).toEqual([]);
  });
});
