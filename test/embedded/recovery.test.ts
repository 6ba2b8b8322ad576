import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { EmbeddedPostgres } from '../../src/embedded/index.ts';
import { answeredCommits } from './answered-commits.ts';
import { elsewhere } from './elsewhere.ts';
import { crash, freeze, ownerOf, pidFile, postmasterPid } from './postmaster.ts';
import { scratchCluster } from './scratch.ts';
import { sql } from './sql.ts';

const quick = { fsync: 'off' };

test('a killed server is detected, and recovers its rows on the same port', async () => {
  const directory = await scratchCluster();
  const first = await EmbeddedPostgres.start({ directory });
  await sql(first.url, 'create table kept as select 7 as value');

  await crash(directory);
  const second = await EmbeddedPostgres.start({ directory });

  expect(second).toMatchObject({ url: first.url, started: true, notices: [] });
  expect(await sql(second.url, 'select value from kept')).toEqual([{ value: 7 }]);
});

test('a zombie server is detected as stopped', async () => {
  const directory = await scratchCluster();
  const first = await EmbeddedPostgres.start({ directory, settings: quick });
  await first.stop();
  // The shell's successor never waits for the server that the shell started.
  const command = (await readFile(`${directory}/cluster/data/postmaster.opts`, 'utf8')).trim();
  const { uid, gid } = await ownerOf(directory);
  const parent = spawn('/bin/sh', ['-c', `${command} >/dev/null 2>&1 & exec sleep 60`], {
    uid,
    gid,
    cwd: '/',
  });
  onTestFinished(() => void parent.kill('SIGKILL'));
  await expect.poll(() => EmbeddedPostgres.find({ directory })).not.toBeNull();
  const pid = await postmasterPid(directory);

  process.kill(pid, 'SIGKILL');
  await expect.poll(() => readFile(`/proc/${pid}/status`, 'utf8')).toContain('zombie');
  const gone = await EmbeddedPostgres.find({ directory });
  const second = await EmbeddedPostgres.start({ directory, settings: quick });

  expect(gone).toBeNull();
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  expect(second).toMatchObject({ url: first.url, started: true });
});

const ends: readonly (readonly [what: string, end: (server: EmbeddedPostgres) => Promise<void>])[] = [
  ['a stop', (server) => server.stop()],
  ['a kill of the server', ({ directory }) => crash(directory)],
  [
    'kills of the server and of the processes that restart it',
    async ({ directory }) => {
      await crash(directory);
      for (let ms = 100; ms < 500; ms += 40) await killWhileStarting(directory, ms);
      await crash(directory).catch(() => {});
      await killWhileStarting(directory, 250);
    },
  ],
];

test.each(ends)('every acknowledged commit survives %s', async (_, end) => {
  const directory = await scratchCluster();
  const server = await EmbeddedPostgres.start({ directory });
  const commits = await answeredCommits(server.url);

  await end(server);
  const answered = await commits.ended;
  const again = await EmbeddedPostgres.start({ directory });

  expect(await commits.stored(again.url)).toBe(answered);
});

test('an empty lock file does not prevent a start', async () => {
  const directory = await scratchCluster();
  const first = await EmbeddedPostgres.start({ directory, settings: quick });
  await first.stop();
  await writeFile(pidFile(directory), '');

  const second = await EmbeddedPostgres.start({ directory, settings: quick });

  expect(second.started).toBe(true);
});

test('a port in use is replaced by another, which is kept', async () => {
  const directory = await scratchCluster();
  const first = await EmbeddedPostgres.start({ directory, settings: quick });
  await first.stop();
  const thief = createServer().listen(first.port, '127.0.0.1');
  await once(thief, 'listening');

  const second = await EmbeddedPostgres.start({ directory, settings: quick });
  await second.stop();
  thief.close();
  await once(thief, 'close');
  const third = await EmbeddedPostgres.start({ directory, settings: quick });

  expect(second.port).not.toBe(first.port);
  expect(second.notices).toEqual([expect.stringMatching(`${first.port}.*${second.port}`)]);
  // Another server may have taken the second port meanwhile. Then it is named in the notice.
  expect([String(third.port), ...third.notices].join()).toContain(String(second.port));
});

test('waits for a port that a killed server still holds', async () => {
  const directory = await scratchCluster();
  const first = await EmbeddedPostgres.start({ directory, settings: quick });
  await crash(directory);
  const holder = createServer();
  await expect
    .poll(async () => {
      holder.listen(first.port, '127.0.0.1');
      return await once(holder, 'listening').then(
        () => true,
        () => false,
      );
    })
    .toBe(true);

  const starting = EmbeddedPostgres.start({ directory, settings: quick });
  setTimeout(() => holder.close(), 500);
  const second = await starting;

  expect(second).toMatchObject({ port: first.port, notices: [] });
});

// A signal has to hit a moment between two steps of a start, on a port that tests beside this one want as well: by chance it comes
// too late, so these two may try again. What they test fails each time.
const again = { retry: 3 };

test('takes the next port when one is taken between check and start', again, async () => {
  const directory = await scratchCluster();
  const first = await EmbeddedPostgres.start({ directory, settings: quick });
  await first.stop();
  const thief = createServer();
  onTestFinished(() => void thief.close());

  const starting = elsewhere('start', { directory, settings: quick }).outcome;
  // The lock file comes right before the port: the server is held there until the port is gone.
  while (!existsSync(pidFile(directory))) await turn();
  await expect.poll(() => postmasterPid(directory), { interval: 0 }).toBeGreaterThan(0);
  const pid = await postmasterPid(directory);
  const resume = freeze(pid);
  thief.listen(first.port, '127.0.0.1');
  await once(thief, 'listening');
  resume();
  const { server } = await starting;

  expect(server?.port).not.toBe(first.port);
  expect(server?.notices).toHaveLength(1);
});

test('a server that is not ready in time continues to start, and is joined later', again, async () => {
  const directory = await scratchCluster();
  const first = await EmbeddedPostgres.start({ directory, settings: quick });
  await first.stop();

  const starting = elsewhere('start', { directory, settings: quick, timeoutMs: 1_000 }).outcome;
  while (!existsSync(pidFile(directory))) await turn();
  await expect.poll(() => postmasterPid(directory), { interval: 0 }).toBeGreaterThan(0);
  const pid = await postmasterPid(directory);
  const resume = freeze(pid);
  const waiting = EmbeddedPostgres.start({ directory, settings: quick, timeoutMs: 200 });

  await expect(waiting).rejects.toMatchObject({ code: 'start_failed' });
  expect((await starting).error).toMatchObject({ code: 'start_failed' });
  resume();
  const server = await EmbeddedPostgres.start({ directory, settings: quick });
  expect(server.started).toBe(false);
  expect(await postmasterPid(directory)).toBe(pid);
});

test('a server that does not stop in time throws stop_failed', async () => {
  const directory = await scratchCluster();
  await EmbeddedPostgres.start({ directory, settings: quick });
  const pid = await postmasterPid(directory);
  const resume = freeze(pid);

  const removing = EmbeddedPostgres.remove({ directory, timeoutMs: 200 });

  await expect(removing).rejects.toMatchObject({ code: 'stop_failed' });
  resume();
  await expect.poll(() => EmbeddedPostgres.find({ directory })).toBeNull();
});

/** Has another process start the server, and kills that process some time after. */
async function killWhileStarting(directory: string, ms: number): Promise<void> {
  const starting = elsewhere('start', { directory });
  const outcome = starting.outcome.catch(() => {});
  await delay(ms);
  starting.process.kill('SIGKILL');
  await outcome;
}
