import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { EmbeddedPostgres } from '../../../src/embedded/index.ts';
import { openDatabase, type Database, type OpenDatabaseOptions } from '../../../src/index.ts';
import { TestDatabase } from '../../../src/testing/index.ts';
import { concurrently } from '../../concurrency/concurrently.ts';
import { crash, freeze, postmasterPid } from '../../embedded/postmaster.ts';
import { scratchCluster } from '../../embedded/scratch.ts';
import { sql } from '../../embedded/sql.ts';
import { WireProxy } from '../../proxy/wire-proxy.ts';
import { within } from '../../faults/proxied-database.ts';
import { occupyConnections, healthInTime, timeout } from './health-in-time.ts';

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

  test('is saturated while units of work hold the whole pool, and all checks share one additional connection', async () => {
    await using proxy = await WireProxy.start(db.target);
    const database = await opened({ url: proxy.url() });
    const free = await occupyConnections(database, 10, 'select pg_sleep(60)');
    proxy.reset();

    for (const health of await concurrently(20, () => healthInTime(database)))
      expect(health).toMatchObject({
        status: 'saturated',
        ready: false,
        error: `no connection was free within ${timeout} ms: all 10 of the pool are in use`,
        latency: null,
        pool: { max: 10, total: 10, idle: 0, waiting: 0 },
      });
    expect(proxy.statements).toEqual(['select 1']);
    await free();
    expect(await healthInTime(database)).toMatchObject({ status: 'up', ready: true });
  });

  test('is up when a connection becomes free in time', async () => {
    const database = await opened({ url: db.url, pool: { max: 2 } });
    await occupyConnections(database, 2, 'select pg_sleep(1)');

    expect(await database.health({ timeout: 10_000 })).toMatchObject({
      status: 'up',
      ready: true,
      error: null,
    });
  });

  test('is up after it closed idle connections', async () => {
    const database = await opened({ url: `${db.url}?application_name=idled` });
    await db.orm.em
      .fork()
      .execute(
        `select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'idled'`,
      );

    expect(await healthInTime(database)).toMatchObject({ status: 'up' });
  });

  test('is degraded when a connection of the pool hangs and a new one works', async () => {
    await using proxy = await WireProxy.start(db.target);
    const database = await opened({ url: proxy.url() });
    proxy.failAt(/pg_is_in_recovery/, 'silent');

    expect(await healthInTime(database)).toMatchObject({
      status: 'degraded',
      ready: false,
      error: expect.stringContaining('the server answers on a new connection, the pool does not'),
    });
  });

  test('is down when logins are refused, with the reason', async () => {
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
    expect(await healthInTime(database)).toMatchObject({ ready: true });
    const free = await occupyConnections(database, 1, 'select pg_sleep(60)');
    expect(await healthInTime(database)).toMatchObject({
      status: 'down',
      error: expect.stringContaining('the password is wrong'),
    });
    await free();
    await database.close();
  });
});

describe('a silent network', () => {
  test('is down in time, and all checks share one additional connection', async () => {
    await using db = await TestDatabase.create();
    await using proxy = await WireProxy.start(db.target);
    const database = await opened({ url: proxy.url() });
    proxy.accepting = 'silently';
    proxy.failNow('silent');

    for (const health of [
      ...(await concurrently(10, () => healthInTime(database))),
      await healthInTime(database),
    ])
      expect(health).toMatchObject({
        status: 'down',
        ready: false,
        error: `no answer within ${timeout} ms`,
        pool: { total: 1 },
      });
    expect(proxy.connections).toBe(1);
    await within(2_500, () => database.close());
  });
});

async function start(settings: Record<string, string> = {}): Promise<EmbeddedPostgres> {
  return EmbeddedPostgres.start({
    directory: await scratchCluster(),
    settings: { fsync: 'off', ...settings },
  });
}

describe('a separate server', () => {
  test.each(['session', 'external'] as const)(
    'is saturated when it has no free connection: %s',
    async (poolMode) => {
      const { url } = await start({ max_connections: '6' });
      const database = await opened({ url, poolMode });
      const free = await occupyConnections(database, 1, 'select pg_sleep(60)');
      await keep(url, 5);

      expect(await healthInTime(database)).toMatchObject({
        status: 'saturated',
        ready: false,
        error: 'the server, or a pooler in front of it, has no free connection',
      });
      await free();
    },
  );

  test('is down while it is suspended, with an idle or a full pool, and recovers', async () => {
    const { url, directory } = await start();
    const [idle, full] = [await opened({ url }), await opened({ url, pool: { max: 1 } })];
    const free = await occupyConnections(full, 1, 'select pg_sleep(60)');
    const backends = await sql(
      url,
      `select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
    );
    const goOn = [await postmasterPid(directory), ...backends.map(({ pid }) => Number(pid))].map(freeze);

    for (const database of [idle, full])
      expect(await healthInTime(database)).toMatchObject({
        status: 'down',
        error: `no answer within ${timeout} ms`,
      });

    for (const thaw of goOn) thaw();
    await expect.poll(() => healthInTime(idle), { timeout: 10_000 }).not.toMatchObject({ status: 'down' });
    await expect.poll(() => healthInTime(full), { timeout: 10_000 }).toMatchObject({ status: 'saturated' });
    await free();
  });

  test('is down while it shuts down and refuses logins', async () => {
    const { url, directory } = await start();
    const database = await opened({ url, pool: { max: 1 } });
    const free = await occupyConnections(database, 1, 'select pg_sleep(60)');
    process.kill(await postmasterPid(directory), 'SIGTERM');

    await expect
      .poll(() => healthInTime(database), { timeout: 5_000 })
      .toMatchObject({ status: 'down', error: expect.stringContaining('57P03') });
    await free();
  });

  test.each([
    ['was stopped', async (server: EmbeddedPostgres) => server.stop()],
    ['was killed', async ({ directory }: EmbeddedPostgres) => crash(directory)],
  ] as const)('is down when it %s, and recovers after a restart', async (_, end) => {
    const server = await start();
    const database = await opened({ url: server.url });

    await end(server);
    expect(await healthInTime(database)).toMatchObject({
      status: 'down',
      ready: false,
      error: expect.stringMatching(/^Database connection failed: /),
    });

    await EmbeddedPostgres.start({ directory: server.directory, settings: { fsync: 'off' } });
    expect(await healthInTime(database)).not.toMatchObject({ status: 'down' });
  });
});
