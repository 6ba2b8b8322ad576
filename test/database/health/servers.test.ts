import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { EmbeddedPostgres } from '../../../src/embedded/index.ts';
import { openDatabase, type Database, type OpenDatabaseOptions } from '../../../src/index.ts';
import { TestDatabase } from '../../../src/testing/index.ts';
import { together } from '../../concurrency/together.ts';
import { crash, freeze, postmasterPid } from '../../embedded/postmaster.ts';
import { scratchCluster } from '../../embedded/scratch.ts';
import { sql } from '../../embedded/sql.ts';
import { WireProxy } from '../../proxy/wire-proxy.ts';
import { inTime } from '../../faults/watched.ts';
import { busy, examined, timeout } from './examined.ts';

async function opened(options: OpenDatabaseOptions): Promise<Database> {
  const database = await openDatabase({ schemaBehind: 'ignore', schemaAhead: 'ignore', ...options });
  onTestFinished(() => database.close({ timeout: 0 }).catch(() => {}));
  return database;
}

/** Keeps `count` connections to `url` open. */
async function keep(url: string, count: number): Promise<void> {
  for (let kept = 0; kept < count; kept++) {
    const client = new Client(url);
    client.on('error', () => {});
    await client.connect();
    onTestFinished(() => client.end().catch(() => {}));
  }
}

describe('a server that answers', () => {
  let db: TestDatabase;
  beforeAll(async () => void (db = await TestDatabase.create()));
  afterAll(() => db.drop());

  test('is saturated while units of work hold the whole pool, and takes one connection more for all who ask', async () => {
    await using proxy = await WireProxy.start(db.target);
    const database = await opened({ url: proxy.url() });
    const free = await busy(database, 10, 'select pg_sleep(60)');
    proxy.reset();

    for (const health of await together(20, () => examined(database)))
      expect(health).toMatchObject({
        status: 'saturated',
        ready: false,
        error: `no connection was free within ${timeout} ms: all 10 of the pool are in use`,
        latency: null,
        pool: { max: 10, total: 10, idle: 0, waiting: 0 },
      });
    expect(proxy.statements).toEqual(['select 1']);
    await free();
    expect(await examined(database)).toMatchObject({ status: 'up', ready: true });
  });

  test('is up while a connection becomes free in time', async () => {
    const database = await opened({ url: db.url, pool: { max: 2 } });
    await busy(database, 2, 'select pg_sleep(1)');

    expect(await database.health({ timeout: 10_000 })).toMatchObject({
      status: 'up',
      ready: true,
      error: null,
    });
  });

  test('is up when it ended the connections that idled', async () => {
    const database = await opened({ url: `${db.url}?application_name=idled` });
    await db.orm.em
      .fork()
      .execute(
        `select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'idled'`,
      );

    expect(await examined(database)).toMatchObject({ status: 'up' });
  });

  test('is degraded when a connection of the pool hangs and a new one does not', async () => {
    await using proxy = await WireProxy.start(db.target);
    const database = await opened({ url: proxy.url() });
    proxy.failAt(/pg_is_in_recovery/, 'silent');

    expect(await examined(database)).toMatchObject({
      status: 'degraded',
      ready: false,
      error: expect.stringContaining('the server answers on a new connection, the pool does not'),
    });
  });

  test('is down once nobody can log in any more, and says why', async () => {
    const role = `health_${randomBytes(6).toString('hex')}`;
    await db.orm.em.fork().execute(`create role ${role} login password 'before'`);
    onTestFinished(async () => void (await db.orm.em.fork().execute(`drop role if exists ${role}`)));
    const { host, port, database: name } = db.target.parts;
    const database = await opened({
      url: `postgresql://${role}:before@${host}:${port}/${name}`,
      pool: { max: 1 },
      schemaBehind: 'ignore',
    });
    await db.orm.em.fork().execute(`alter role ${role} password 'after'`);

    // What was let in before stays.
    expect(await examined(database)).toMatchObject({ ready: true });
    const free = await busy(database, 1, 'select pg_sleep(60)');
    expect(await examined(database)).toMatchObject({
      status: 'down',
      error: expect.stringContaining('the password is wrong'),
    });
    await free();
    await database.close();
  });
});

describe('a network that goes silent', () => {
  test('is down in time, and takes one connection besides, however often one asks', async () => {
    await using db = await TestDatabase.create();
    await using proxy = await WireProxy.start(db.target);
    const database = await opened({ url: proxy.url() });
    proxy.accepting = 'silently';
    proxy.failNow('silent');

    for (const health of [...(await together(10, () => examined(database))), await examined(database)])
      expect(health).toMatchObject({
        status: 'down',
        ready: false,
        error: `no answer within ${timeout} ms`,
        pool: { total: 1 },
      });
    expect(proxy.connections).toBe(1);
    await inTime(2_500, () => database.close());
  });
});

async function start(settings: Record<string, string> = {}): Promise<EmbeddedPostgres> {
  return EmbeddedPostgres.start({
    directory: await scratchCluster(),
    settings: { fsync: 'off', ...settings },
  });
}

describe('a server of its own', () => {
  test.each(['session', 'external'] as const)(
    'is saturated when it has no connection left: %s',
    async (poolMode) => {
      const { url } = await start({ max_connections: '6' });
      const database = await opened({ url, poolMode });
      const free = await busy(database, 1, 'select pg_sleep(60)');
      await keep(url, 5);

      expect(await examined(database)).toMatchObject({
        status: 'saturated',
        ready: false,
        error: 'the server, or a pooler in front of it, has no free connection',
      });
      await free();
    },
  );

  test('is down while it stands still, with a pool that is full or not, and is not once it goes on', async () => {
    const { url, directory } = await start();
    const [idle, full] = [await opened({ url }), await opened({ url, pool: { max: 1 } })];
    const free = await busy(full, 1, 'select pg_sleep(60)');
    const backends = await sql(
      url,
      `select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
    );
    const goOn = [await postmasterPid(directory), ...backends.map(({ pid }) => Number(pid))].map(freeze);

    for (const database of [idle, full])
      expect(await examined(database)).toMatchObject({
        status: 'down',
        error: `no answer within ${timeout} ms`,
      });

    for (const thaw of goOn) thaw();
    await expect.poll(() => examined(idle), { timeout: 10_000 }).not.toMatchObject({ status: 'down' });
    await expect.poll(() => examined(full), { timeout: 10_000 }).toMatchObject({ status: 'saturated' });
    await free();
  });

  test('is down while it shuts down and lets nobody in', async () => {
    const { url, directory } = await start();
    const database = await opened({ url, pool: { max: 1 } });
    const free = await busy(database, 1, 'select pg_sleep(60)');
    process.kill(await postmasterPid(directory), 'SIGTERM');

    await expect
      .poll(() => examined(database), { timeout: 5_000 })
      .toMatchObject({ status: 'down', error: expect.stringContaining('57P03') });
    await free();
  });

  test.each([
    ['was stopped', async (server: EmbeddedPostgres) => server.stop()],
    ['was killed', async ({ directory }: EmbeddedPostgres) => crash(directory)],
  ] as const)('is down when it %s, and not once it is back', async (_, end) => {
    const server = await start();
    const database = await opened({ url: server.url });

    await end(server);
    expect(await examined(database)).toMatchObject({
      status: 'down',
      ready: false,
      error: expect.stringMatching(/^Database connection failed: /),
    });

    await EmbeddedPostgres.start({ directory: server.directory, settings: { fsync: 'off' } });
    expect(await examined(database)).not.toMatchObject({ status: 'down' });
  });
});
