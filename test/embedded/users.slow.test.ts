import { execFile } from 'node:child_process';
import { chmod, chown, link, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { EmbeddedPostgres } from '../../src/embedded/index.ts';
import { checkoutCopy } from './checkout-copy.ts';
import { elsewhere, type Surroundings } from './elsewhere.ts';
import { scratch, scratchCluster } from './scratch.ts';
import { sql } from './sql.ts';

const quick = { fsync: 'off' };
const isRoot = process.getuid?.() === 0;
const nameless = { uid: 54_321, gid: 0 };
const nobody = { uid: 65_534, gid: 65_534 };

// What root may do cannot be tried by others; they run all other tests as themselves.
describe.runIf(isRoot && process.platform === 'linux')('called by root', () => {
  test('the server runs as postgres, and other users can not enter its files', async () => {
    const directory = await scratch();

    await EmbeddedPostgres.start({ directory, settings: quick });

    const data = await stat(join(directory, 'cluster/data'));
    expect(data).toMatchObject({ uid: await idOf('postgres') });
    expect(data.mode & 0o777).toBe(0o700);
  });

  test('the server runs as nobody where there is no postgres', async () => {
    const directory = await scratch();
    const only = await onlyUsers(directory, 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n');

    const { server } = await elsewhere('start', { directory, settings: quick }, only).outcome;

    expect(server?.started).toBe(true);
    expect(await stat(join(directory, 'cluster/data'))).toMatchObject({ uid: 65_534 });
  });

  test('without either user it throws an error with the remedies, and creates no cluster', async () => {
    const directory = await scratch();
    const only = await onlyUsers(directory, 'root:x:0:0::/root:/bin/sh\n');

    const { error } = await elsewhere('start', { directory, settings: quick }, only).outcome;

    expect(error).toMatchObject({ name: 'EmbeddedPostgresError', code: 'no_server_user' });
    expect(error?.message).toContain('useradd');
    expect(error?.message).toContain('DATABASE_URL');
    expect(await EmbeddedPostgres.find({ directory })).toBeNull();
  });

  test('a directory that postgres can not enter is substituted by one that root finds again', async () => {
    const directory = join(await scratch(), 'inner');
    await mkdir(dirname(directory), { mode: 0o700 });
    onTestFinished(() => EmbeddedPostgres.remove({ directory }));

    const first = await EmbeddedPostgres.start({ directory, settings: quick });
    await sql(first.url, 'create table kept as select 7 as value');
    const found = await EmbeddedPostgres.find({ directory });
    await found?.stop();
    const second = await EmbeddedPostgres.start({ directory, settings: quick });
    const rows = await sql(second.url, 'select value from kept');
    await EmbeddedPostgres.remove({ directory });

    expect(first.directory).toMatch(/^\/var\/lib\/synth-lab-data\/[0-9a-f]{12}$/);
    expect(first.notices).toEqual([expect.stringContaining(first.directory)]);
    expect(second).toMatchObject({ url: first.url, directory: first.directory, started: true });
    expect(rows).toEqual([{ value: 7 }]);
    expect(await readdir('/var/lib/synth-lab-data')).not.toContain(first.directory.split('/').at(-1));
  });

  test('binaries that postgres can not execute are copied to where it can', async () => {
    const directory = await scratch();
    const copy = await checkoutCopy({ binaries: true });
    await chmod(copy.root, 0o700);

    const { server, error } = await elsewhere('start', { directory, settings: quick }, copy).outcome;

    expect(error).toBeUndefined();
    expect(server).toMatchObject({ started: true, directory });
  });

  test('a restrictive umask does not lock the server out', async () => {
    const directory = await scratch();
    const wrapper = ['sh', '-c', 'umask 077; exec "$@"', 'sh'];

    const { server, error } = await elsewhere('start', { directory, settings: quick }, { wrapper }).outcome;

    expect(error).toBeUndefined();
    expect(server?.started).toBe(true);
  });

  test("an ordinary user's cluster is started as that user, who can start it again", async () => {
    const directory = await scratch();
    await mkdir(directory);
    await chown(directory, nobody.uid, nobody.gid);
    const options = { directory, settings: quick };

    const { server: theirs, error } = await elsewhere('start', options, nobody).outcome;
    expect(error).toBeUndefined();
    const joined = await EmbeddedPostgres.start(options);
    await joined.stop();
    await promisify(execFile)('rm', [joined.logFile]);
    const ours = await EmbeddedPostgres.start(options);
    await ours.stop();
    const again = await elsewhere('start', options, nobody).outcome;

    expect(await stat(join(directory, 'cluster/password'))).toMatchObject({ uid: nobody.uid });
    expect(theirs?.started).toBe(true);
    expect(joined).toMatchObject({ url: theirs?.url, started: false });
    expect(ours).toMatchObject({ url: theirs?.url, started: true });
    expect(again).toMatchObject({ server: { url: theirs?.url, started: true } });
  });

  test.each([
    ['a symbolic link', (victim: string, log: string) => symlink(victim, log)],
    ['a hard link', (victim: string, log: string) => link(victim, log)],
  ])('root does not write its log through %s of an ordinary user', async (_, linkTo) => {
    const directory = await scratch();
    await mkdir(directory);
    await chown(directory, nobody.uid, nobody.gid);
    await elsewhere('start', { directory, settings: quick }, nobody).outcome;
    const joined = await EmbeddedPostgres.start({ directory, settings: quick });
    await joined.stop();
    const log = joined.logFile;
    const victim = join(directory, 'victim');
    await writeFile(victim, 'precious');
    await rm(log);
    await linkTo(victim, log);

    const starting = EmbeddedPostgres.start({ directory, settings: quick });

    await expect(starting).rejects.toMatchObject({ code: 'directory_unusable', message: /link/ });
    expect(await readFile(victim, 'utf8')).toBe('precious');
    expect(await stat(victim)).toMatchObject({ uid: 0 });
  });

  test("another user's cluster and a directory without write permission are refused", async () => {
    const directory = await scratchCluster();
    await EmbeddedPostgres.start({ directory, settings: quick });

    const joining = await elsewhere('find', { directory }, nobody).outcome;
    const making = await elsewhere('start', { directory: `${directory}/../other` }, nobody).outcome;

    expect(joining.error).toMatchObject({ name: 'EmbeddedPostgresError', code: 'directory_unusable' });
    expect(making.error).toMatchObject({ name: 'EmbeddedPostgresError', code: 'directory_unusable' });
  });

  test('a user id without a name is refused with the remedies before anything is created', async () => {
    const directory = await scratch();
    await chmod(dirname(directory), 0o777);

    const { error } = await elsewhere('start', { directory, major: 16 }, nameless).outcome;

    expect(error).toMatchObject({
      name: 'EmbeddedPostgresError',
      code: 'no_server_user',
      message: expect.stringMatching(/user id 54321[^]*\/etc\/passwd[^]*DATABASE_URL/),
    });
    expect(await readdir(dirname(directory))).toEqual([]);
  });

  test('a user id without a name can start, find and delete its existing cluster', async () => {
    const directory = await scratchCluster();
    await chmod(dirname(directory), 0o777);
    await promisify(execFile)('chown', ['-R', `${nameless.uid}:${nameless.gid}`, directory]);

    const started = await elsewhere('start', { directory, settings: quick }, nameless).outcome;
    const found = await elsewhere('find', { directory }, nameless).outcome;
    await elsewhere('remove', { directory }, nameless).outcome;

    expect(started).toMatchObject({ server: { started: true } });
    expect(found.server).toMatchObject({ url: started.server?.url });
    expect(await readdir(directory)).toEqual([]);
  });
});

/** A machine that has these users alone: bind mounts, seen by that process and its children only. */
async function onlyUsers(directory: string, passwd: string): Promise<Surroundings> {
  const [users, sources] = [join(dirname(directory), 'passwd'), join(dirname(directory), 'nsswitch.conf')];
  await writeFile(users, passwd);
  await writeFile(sources, 'passwd: files\ngroup: files\n');
  const script = `mount --bind ${users} /etc/passwd && mount --bind ${sources} /etc/nsswitch.conf && exec "$@"`;
  return { wrapper: ['unshare', '-m', 'sh', '-c', script, 'sh'] };
}

async function idOf(user: string): Promise<number> {
  return Number((await promisify(execFile)('id', ['-u', user])).stdout);
}
