import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { EmbeddedPostgres } from '../../src/embedded/index.ts';
import { ownerOf, pidFile, postmasterPid } from './postmaster.ts';
import { scratchCluster } from './scratch.ts';
import { sql } from './sql.ts';

const quick = { fsync: 'off' };
// On a socket of its own.
const local = ['--port=15990', '--listen_addresses=', '--unix_socket_directories=.'];

interface Places {
  readonly postgres: string;
  /** The data directory of the stopped cluster whose lock file comes to name another process. */
  readonly data: string;
  /** The data directory of another cluster. */
  readonly other: string;
}

/** Processes of the server's user that are not the cluster's server. Those of a PostgreSQL serve the other cluster. */
const strangers: readonly (readonly [what: string, command: (places: Places) => readonly string[]])[] = [
  ['is no PostgreSQL', () => ['sleep', '60']],
  [
    "has a server's words in its command line",
    ({ postgres, data }) => ['sh', '-c', 'sleep 60', postgres, '-D', data],
  ],
  ['works in the data directory', ({ data }) => ['sh', '-c', `cd ${data}; sleep 60`]],
  [
    'is a PostgreSQL that names no directory in its command line',
    ({ postgres, other }) => ['env', `PGDATA=${other}`, postgres, ...local],
  ],
  [
    'is a PostgreSQL that names this directory in a setting',
    ({ postgres, data, other }) => [postgres, '-D', other, `--cluster_name=${data}`, ...local],
  ],
  [
    'is a PostgreSQL whose path leads through this directory',
    ({ postgres, data, other }) => [postgres, '-D', `${data}/${relative(data, other)}`, ...local],
  ],
];

test.each(strangers)(
  'a lock file whose process %s is seen through, and that process gets no signal',
  async (_, command) => {
    const [directory, neighbour] = [await scratchCluster(), await scratchCluster()];
    const first = await EmbeddedPostgres.start({ directory, settings: quick });
    const left = await readFile(pidFile(directory), 'utf8');
    await first.stop();
    const [data, other] = [join(directory, 'cluster/data'), join(neighbour, 'cluster/data')];
    const [postgres = ''] = (await readFile(`${data}/postmaster.opts`, 'utf8')).split(' ');
    const stranger = await startStranger(command({ postgres, data, other }), directory, neighbour);
    const stale = left.replace(/^\d+/, String(stranger.pid));

    await writeFile(pidFile(directory), stale);
    const found = await EmbeddedPostgres.find({ directory });
    await first.stop();
    const second = await EmbeddedPostgres.start({ directory, settings: quick });
    const [served] = await sql(second.url, 'show data_directory');
    await second.stop();
    await writeFile(pidFile(directory), stale);
    await EmbeddedPostgres.remove({ directory });

    expect(found).toBeNull();
    expect(second.started).toBe(true);
    expect(served).toEqual({ data_directory: data });
    expect([stranger.exitCode, stranger.signalCode]).toEqual([null, null]);
  },
);

test('ignores a lock file that names the server of another directory', async () => {
  const [directory, neighbour] = [await scratchCluster(), await scratchCluster()];
  const first = await EmbeddedPostgres.start({ directory, settings: quick });
  await first.stop();
  await EmbeddedPostgres.start({ directory: neighbour, settings: quick });

  await copyFile(pidFile(neighbour), pidFile(directory));
  await first.stop();
  const second = await EmbeddedPostgres.start({ directory, settings: quick });
  await second.stop();

  expect(second.started).toBe(true);
  expect(await EmbeddedPostgres.find({ directory: neighbour })).not.toBeNull();
});

test('a copy of a running cluster is a separate cluster', async () => {
  const [directory, copy] = [await scratchCluster(), await scratchCluster()];
  const original = await EmbeddedPostgres.start({ directory });
  await EmbeddedPostgres.remove({ directory: copy });
  await promisify(execFile)('cp', ['-a', join(directory, 'cluster'), copy]);

  const found = await EmbeddedPostgres.find({ directory: copy });
  const started = await EmbeddedPostgres.start({ directory: copy, settings: quick });
  const [served] = await sql(started.url, 'show data_directory');
  await started.stop();

  expect(found).toBeNull();
  expect(served).toEqual({ data_directory: join(copy, 'cluster/data') });
  expect(await sql(original.url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('joins and stops a server that was started by hand, without the lock', async () => {
  const directory = await scratchCluster();
  const first = await EmbeddedPostgres.start({ directory, settings: quick });
  await first.stop();
  const command = (await readFile(`${directory}/cluster/data/postmaster.opts`, 'utf8')).trim();
  const manual = spawn('/bin/sh', ['-c', `exec ${command} >/dev/null 2>&1`], {
    ...(await ownerOf(directory)),
    cwd: '/',
  });
  const ended = once(manual, 'exit');
  await expect.poll(() => EmbeddedPostgres.find({ directory })).not.toBeNull();

  const joined = await EmbeddedPostgres.start({ directory, settings: quick });
  await joined.stop();

  expect(joined).toMatchObject({ url: first.url, started: false });
  expect(await ended).toEqual([0, null]);
});

async function pidOf(directory: string): Promise<number> {
  return await postmasterPid(directory).catch(() => 0);
}

/** Starts a process as the user of a directory's server; a PostgreSQL is ready then. It ends with the test. */
async function startStranger(
  command: readonly string[],
  directory: string,
  neighbour: string,
): Promise<ChildProcess> {
  const [program = '', ...args] = command;
  const stranger = spawn(program, args, { ...(await ownerOf(directory)), cwd: '/', stdio: 'ignore' });
  const ended = once(stranger, 'exit');
  onTestFinished(async () => {
    stranger.kill('SIGKILL');
    await ended;
  });
  await once(stranger, 'spawn');
  while (local.every((word) => args.includes(word)) && (await pidOf(neighbour)) !== stranger.pid)
    await delay(10);
  return stranger;
}
