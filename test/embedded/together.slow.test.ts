import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { EmbeddedPostgres } from '../../src/embedded/index.ts';
import { elsewhere } from './elsewhere.ts';
import { crash } from './postmaster.ts';
import { scratch, scratchCluster } from './scratch.ts';
import { sql } from './sql.ts';

const quick = { fsync: 'off' };

test.each([2, 8])('%i processes that start in an empty directory get one server', async (count) => {
  const directory = await scratch();

  const outcomes = await Promise.all(
    Array.from({ length: count }, () => elsewhere('start', { directory, settings: quick }).outcome),
  );

  const servers = outcomes.map(({ server }) => server);
  expect(new Set(servers.map((server) => server?.url)).size).toBe(1);
  expect(servers.filter((server) => server?.started)).toHaveLength(1);
  expect(await readdir(directory)).toEqual(['cluster']);
  expect(await sql(servers[0]?.url ?? '', 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('8 processes that start a stopped cluster get one server, also after a crash', async () => {
  const directory = await scratchCluster();
  await EmbeddedPostgres.start({ directory, settings: quick });
  await crash(directory);

  const outcomes = await Promise.all(
    Array.from({ length: 8 }, () => elsewhere('start', { directory, settings: quick }).outcome),
  );

  expect(new Set(outcomes.map(({ server }) => server?.url)).size).toBe(1);
  expect(outcomes.filter(({ server }) => server?.started)).toHaveLength(1);
});

test('servers of different directories that start together get different ports', async () => {
  const directories = await Promise.all(Array.from({ length: 4 }, () => scratchCluster(15_432)));
  const first = await Promise.all(
    directories.map((directory) => EmbeddedPostgres.start({ directory, settings: quick })),
  );
  await Promise.all(first.map((server) => server.stop()));

  const servers = await Promise.all(
    directories.map((directory) => elsewhere('start', { directory, settings: quick }).outcome),
  );

  expect(new Set(servers.map(({ server }) => server?.port)).size).toBe(4);
  for (const port of servers.map(({ server }) => server?.port ?? 0)) {
    expect(port).toBeGreaterThanOrEqual(15_432);
    expect(port).toBeLessThanOrEqual(15_531);
  }
});

test(
  'a start that is suspended while it creates the cluster does not block others, and then uses their cluster',
  { timeout: 60_000 },
  async () => {
    const directory = await scratch();
    const slow = elsewhere('start', { directory, settings: quick });
    await expect.poll(() => begun(directory), { interval: 5, timeout: 5_000 }).toBe(true);
    slow.process.kill('SIGSTOP');

    const quicker = await EmbeddedPostgres.start({ directory, settings: quick, timeoutMs: 15_000 });
    slow.process.kill('SIGCONT');
    const { server } = await slow.outcome;

    expect(quicker.started).toBe(true);
    expect(server).toMatchObject({ url: quicker.url, started: false });
    expect(await readdir(directory)).toEqual(['cluster']);
  },
);

test('a start that is killed while creating the cluster does not block others, and its leftovers are deleted', async () => {
  const directory = await scratch();
  const doomed = elsewhere('start', { directory, settings: quick });
  doomed.outcome.catch(() => {});
  await expect.poll(() => begun(directory), { interval: 5, timeout: 5_000 }).toBe(true);
  await delay(200);

  doomed.process.kill('SIGKILL');
  await expect(doomed.outcome).rejects.toThrow();
  const server = await EmbeddedPostgres.start({ directory, settings: quick });

  expect(server.started).toBe(true);
  expect(await readdir(directory)).toEqual(['cluster']);
});

test('locked staging folders are kept, and unlocked ones deleted', async () => {
  const directory = await scratchCluster();
  const names = ['cluster.new-1700000000000-a1', 'cluster.old-1700000000000-a2'];
  // As former versions named them, after a machine and a process id.
  const abandoned = [`cluster.new-${Date.now()}-ffffffff-${process.pid}-a3`, `cluster.old-${Date.now()}-a4`];
  for (const name of [...names, ...abandoned]) {
    await mkdir(join(directory, name));
    await writeFile(join(directory, name, 'lock'), '');
  }
  for (const name of names) await holdLock(join(directory, name, 'lock'));

  await EmbeddedPostgres.start({ directory, settings: quick });

  expect(new Set(await readdir(directory))).toEqual(new Set(['cluster', ...names]));
});

test('a start waits for the holder of the lock, and continues when that one is killed', async () => {
  const directory = await scratchCluster();
  const holder = await holdLock(join(directory, 'cluster/lock'));

  const early = EmbeddedPostgres.start({ directory, settings: quick, timeoutMs: 300 });
  await expect(early).rejects.toMatchObject({ code: 'start_failed' });
  const starting = EmbeddedPostgres.start({ directory, settings: quick });
  holder.kill('SIGKILL');

  expect(await starting).toMatchObject({ started: true });
});

/** Whether a cluster is being made. */
async function begun(directory: string): Promise<boolean> {
  return existsSync(directory) && (await readdir(directory)).some((name) => name.startsWith('cluster.new-'));
}

/** A process that holds the lock on a file, until it is killed or the test ends. */
async function holdLock(path: string): Promise<ChildProcess> {
  const holder = spawn('flock', ['--no-fork', path, 'sh', '-c', 'echo locked; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => void holder.kill('SIGKILL'));
  await once(holder.stdout, 'data');
  return holder;
}
