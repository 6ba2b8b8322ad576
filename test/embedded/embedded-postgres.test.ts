import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { EmbeddedPostgres } from '../../src/embedded/index.ts';
import { elsewhere } from './elsewhere.ts';
import { pidFile, postmasterPid } from './postmaster.ts';
import { scratch, scratchCluster } from './scratch.ts';
import { sql } from './sql.ts';

const quick = { fsync: 'off' };

test('the first start creates a durable UTF-8 cluster', async () => {
  const directory = await scratch();

  const server = await EmbeddedPostgres.start({ directory });

  expect(server).toMatchObject({ started: true, notices: [], directory, major: 18 });
  expect(new URL(server.url)).toMatchObject({
    protocol: 'postgresql:',
    hostname: '127.0.0.1',
    port: String(server.port),
    username: 'synthlab',
    password: expect.stringMatching(/^[\w-]{32}$/),
    pathname: '/synthlab',
  });
  const [facts] = await sql(
    server.url,
    `select current_setting('fsync') fsync, current_setting('server_encoding') encoding, upper('ação') upper,
            array(select w from unnest('{b,B,a,á}'::text[]) w order by w) sorted,
            (select rolsuper from pg_roles where rolname = current_user) superuser,
            current_setting('data_checksums') checksums, current_setting('TimeZone') timezone`,
  );
  expect(facts).toEqual({
    fsync: 'on',
    encoding: 'UTF8',
    upper: 'AÇÃO',
    sorted: ['B', 'a', 'b', 'á'],
    superuser: true,
    checksums: 'on',
    timezone: 'UTC',
  });
});

test('listens on the loopback address only, and requires the password', async () => {
  const directory = await scratch();
  const server = await EmbeddedPostgres.start({ directory, settings: quick });

  const [facts] = await sql(
    server.url,
    `select current_setting('unix_socket_directories') sockets, current_setting('listen_addresses') addresses,
            (select bool_and(auth_method = 'scram-sha-256') from pg_hba_file_rules) scram`,
  );

  expect(facts).toEqual({ sockets: '', addresses: '127.0.0.1', scram: true });
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outside = addresses.filter(({ internal, family }) => !internal && family === 'IPv4');
  for (const { address } of outside) {
    await expect(once(connect(server.port, address), 'connect')).rejects.toThrow('ECONNREFUSED');
  }
  const guess = new URL(server.url);
  guess.password = 'guess';
  await expect(sql(guess.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
});

test('the password is readable by its owner only, and never printed', async () => {
  const directory = await scratch();
  const server = await EmbeddedPostgres.start({ directory, settings: quick });

  const file = await stat(join(directory, 'cluster/password'));

  expect(file.mode & 0o777).toBe(0o600);
  expect(file.uid).toBe(process.getuid?.());
  const { password } = new URL(server.url);
  const { url: _, ...printed } = server;
  expect(JSON.stringify(printed)).not.toContain(password);
  const [{ args } = {}] = await sql(server.url, `select pg_read_file('postmaster.opts') args`);
  expect(args).not.toContain(password);
});

test('a second start, also in another process, joins the running server, regardless of settings', async () => {
  const directory = await scratchCluster();
  const first = await EmbeddedPostgres.start({ directory, settings: quick });

  const here = await EmbeddedPostgres.start({ directory });
  const there = await elsewhere('start', { directory, settings: { work_mem: '1MB' } }).outcome;

  expect(here).toMatchObject({ url: first.url, started: false });
  expect(there.server).toMatchObject({ url: first.url, started: false });
});

test('the server outlives the process that started it, and its process group', async () => {
  const directory = await scratchCluster();
  const call = elsewhere('start', { directory, settings: quick }, { detached: true });
  const { server } = await call.outcome;

  // As a terminal does to all that was started in it.
  const group = -(call.process.pid ?? 0);
  expect(() => process.kill(group, 'SIGKILL')).toThrow('ESRCH');

  expect(await sql(server?.url ?? '', 'select 1 as one')).toEqual([{ one: 1 }]);
});

test.runIf(process.platform === 'linux')(
  "the server does not get the caller's environment, nor obeys it",
  async () => {
    const directory = await scratchCluster();
    const env = {
      ...process.env,
      API_KEY: 'secret',
      PGDATA: '/nowhere',
      PGPORT: '1',
      LC_ALL: 'xx_XX',
      TZ: 'Asia/Tokyo',
    };

    const { server } = await elsewhere('start', { directory, settings: quick }, { env }).outcome;

    expect(server?.started).toBe(true);
    const url = server?.url ?? '';
    await sql(url, 'create table environment (line text)');
    await sql(url, `copy environment from program 'env'`);
    const lines = (await sql(url, 'select line from environment')).map(({ line }) => line);
    expect(lines).toContain('TZ=UTC');
    expect(lines).not.toContain('API_KEY=secret');
  },
);

test('a restart keeps the rows, the password and the port', async () => {
  const directory = await scratchCluster();
  const first = await EmbeddedPostgres.start({ directory, settings: quick });
  await sql(first.url, 'create table kept as select 7 as value');

  await first.stop();
  const second = await EmbeddedPostgres.start({ directory, settings: quick });

  expect(second).toMatchObject({ url: first.url, started: true });
  expect(await sql(second.url, 'select value from kept')).toEqual([{ value: 7 }]);
});

test('find returns the running server, and null before the first start and after a stop', async () => {
  const directory = await scratch();

  const before = await EmbeddedPostgres.find({ directory });
  const server = await EmbeddedPostgres.start({ directory, settings: quick });
  const during = await EmbeddedPostgres.find({ directory });
  await server.stop();
  const after = await EmbeddedPostgres.find({ directory });

  expect([before, after]).toEqual([null, null]);
  expect(during).toMatchObject({ url: server.url, started: false });
});

test('stop and remove are idempotent', async () => {
  const directory = await scratchCluster();
  const server = await EmbeddedPostgres.start({ directory, settings: quick });

  await server.stop();
  await server.stop();
  await EmbeddedPostgres.remove({ directory });
  await EmbeddedPostgres.remove({ directory });

  expect(await EmbeddedPostgres.find({ directory })).toBeNull();
});

test('remove stops the server and deletes only the cluster', async () => {
  const directory = await scratchCluster();
  const server = await EmbeddedPostgres.start({ directory, settings: quick });
  await writeFile(join(directory, 'notes.txt'), 'mine');

  await EmbeddedPostgres.remove({ directory });

  await expect(sql(server.url, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(await readdir(directory)).toEqual(['notes.txt']);
});

test('settings are passed to the server, except addresses and port', async () => {
  const directory = await scratchCluster();

  const server = await EmbeddedPostgres.start({
    directory,
    settings: { ...quick, cluster_name: `it's "one" \\ $HOME; x`, port: '1', listen_addresses: '*' },
  });

  const [facts] = await sql(
    server.url,
    `select current_setting('fsync') fsync, current_setting('cluster_name') name, current_setting('listen_addresses') addresses`,
  );
  expect(facts).toEqual({ fsync: 'off', name: `it's "one" \\ $HOME; x`, addresses: '127.0.0.1' });
});

test('a start during shutdown waits for its end and restarts the server', async () => {
  const directory = await scratchCluster();
  const server = await EmbeddedPostgres.start({ directory, settings: quick });
  const client = new Client({ connectionString: server.url });
  await client.connect();
  const pid = await postmasterPid(directory);

  // The kind of shutdown that waits for its clients.
  process.kill(pid, 'SIGTERM');
  await expect.poll(() => readFile(pidFile(directory), 'utf8')).toContain('stopping');
  const starting = EmbeddedPostgres.start({ directory, settings: quick });
  await client.end();
  const again = await starting;

  expect(again).toMatchObject({ url: server.url, started: true });
  expect(await postmasterPid(directory)).not.toBe(pid);
});
