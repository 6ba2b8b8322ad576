import { MikroORM } from '@mikro-orm/postgresql';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/postgres/orm/connect.ts';
import { detectPoolerMode } from '../../src/postgres/pooler/pooler-mode.ts';
import {
  openDatabase,
  PoolerError,
  SettingsError,
  UnavailableError,
  withSynthLab,
  type PoolMode,
} from '../../src/index.ts';
import { parseDatabaseUrl } from '../../src/settings/database-url.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import { concurrently } from '../concurrency/concurrently.ts';
import { WireProxy } from '../proxy/wire-proxy.ts';
import { PgBouncer, whyNoPooler, type PoolerOptions } from '../../packages/migrator/test/kit/pgbouncer.ts';
import { leftOn } from './server-connections.ts';

let db: TestDatabase;
beforeAll(async () => void (db = await TestDatabase.create()));
afterAll(() => db.drop());

describe.skipIf(whyNoPooler !== null)('a pooler that is not configured', () => {
  test.each<[PoolerOptions]>([
    [{ poolMode: 'transaction' }],
    [{ poolMode: 'transaction', serverConnections: 1 }],
    [{ poolMode: 'transaction', serverConnections: 2, assigns: 'in turn' }],
    [{ poolMode: 'transaction', serverConnections: 1, assigns: 'in turn' }],
    [{ poolMode: 'transaction', assigns: 'in turn', isOpen: false }],
    [{ poolMode: 'transaction', isOpen: false }],
  ])('is refused with the remedy in transaction mode: %o', async (options) => {
    await using pooler = await PgBouncer.start(db.target, options);
    // The maximum of connections is open already.
    await used(pooler, options.serverConnections ?? 3);

    for (let round = 0; round < 10; round++) {
      const opening = openDatabase({ url: pooler.url(), pool: { max: 1 } });

      await expect(opening).rejects.toBeInstanceOf(SettingsError);
      await expect(opening).rejects.toThrow(/pooler in transaction mode: set DATABASE_POOL_MODE=transaction/);
    }
    expect(await leftOn(pooler, 1, db.target)).toEqual([]);
  });

  test('is refused while other clients use it', async () => {
    await using pooler = await PgBouncer.start(db.target, { poolMode: 'transaction', serverConnections: 3 });
    const busy = new AbortController();
    const others = concurrently(6, async () => {
      const client = new Client(pooler.url());
      await client.connect();
      while (!busy.signal.aborted) await client.query('select pg_sleep(0.001)');
      await client.end();
    });

    for (let round = 0; round < 20; round++)
      await expect(openDatabase({ url: pooler.url() })).rejects.toBeInstanceOf(SettingsError);

    busy.abort();
    await others;
  });

  test("is refused by a service's own MikroORM, and for a replica behind it", async () => {
    await using pooler = await PgBouncer.start(db.target, { poolMode: 'transaction', serverConnections: 2 });
    const orm = new MikroORM(withSynthLab({ clientUrl: pooler.url() }));
    onTestFinished(() => orm.close(true));
    await using database = await openDatabase({ url: db.url, replicaUrls: [pooler.url()] });

    for (let round = 0; round < 3; round++)
      await expect(orm.em.fork().execute('select 1')).rejects.toThrow('pooler in transaction mode');
    expect(
      await database.read(({ experiments }) => experiments.find('exp_none'), { from: 'replica' }),
    ).toBeNull();
    expect((await database.health()).replicas).toMatchObject([
      { status: 'down', error: expect.stringContaining('pooler in transaction mode') },
    ]);
  });

  test('is refused in statement mode, which has no transactions', async () => {
    await using pooler = await PgBouncer.start(db.target, { poolMode: 'statement' });

    const opening = openDatabase({ url: pooler.url() });

    await expect(opening).rejects.toBeInstanceOf(SettingsError);
    await expect(opening).rejects.toThrow('pooler in statement mode');
  });

  test.each<[PoolerOptions]>([[{ poolMode: 'session' }], [{ poolMode: 'session', assigns: 'in turn' }]])(
    'is accepted in session mode: %o',
    async (options) => {
      await using pooler = await PgBouncer.start(db.target, options);
      await used(pooler, 3);

      for (let round = 0; round < 10; round++) {
        await using database = await openDatabase({ url: pooler.url() });
        expect(await database.transact(({ em }) => em.execute('select 1 as one'))).toEqual([{ one: 1 }]);
      }
    },
  );

  test('is accepted after a second when it has no further connection', async () => {
    await using pooler = await PgBouncer.start(db.target, { poolMode: 'session', serverConnections: 1 });

    const begun = performance.now();
    await using database = await openDatabase({ url: pooler.url(), pool: { max: 1 } });

    expect(await database.transact(({ em }) => em.execute('select 1 as one'))).toEqual([{ one: 1 }]);
    expect(performance.now() - begun).toBeLessThan(4_000);
  });
});

test('the check sends one statement on one connection without a pooler', async () => {
  await using proxy = await WireProxy.start(db.target);

  await using database = await openDatabase({
    url: proxy.url(),
    schemaBehind: 'ignore',
    schemaAhead: 'ignore',
  });

  expect(proxy.statements).toEqual(['select pg_backend_pid() as pid']);
  expect(proxy.connections).toBe(1);
  await database.close();
});

test('the check detects no sharing without a pooler', async () => {
  const orm = await connect(parseDatabaseUrl(db.url, 'url'));
  try {
    expect(await detectPoolerMode(orm)).toBeNull();
  } finally {
    await orm.close(true);
  }
});

describe('a session that a unit of work changed', () => {
  const leavings: [string, string][] = [
    ['a setting', `set statement_timeout = 1`],
    ['a setting by a function', `select set_config('statement_timeout', '1', false)`],
    ['a role', 'set role pg_read_all_data'],
    ['a lock', 'select pg_advisory_lock(4711)'],
    ['a prepared statement', 'prepare left_over as select 1'],
    ['a channel', 'listen left_over'],
    ['a cursor', 'declare left_over cursor with hold for select 1'],
    ['a second statement', `select 1; set search_path = nowhere`],
  ];

  test.each(leavings)('is not reused by our pool: %s', async (_, statement) => {
    await using database = await openDatabase({ url: db.url, pool: { max: 1 } });
    const state = async (): Promise<unknown> =>
      database.transact(({ em }) =>
        em.execute(
          `select current_setting('statement_timeout') as timeout, current_setting('search_path') as path, current_user as who,
             (select count(*)::int from pg_locks where pid = pg_backend_pid() and locktype = 'advisory') as locks,
             (select count(*)::int from pg_prepared_statements) as prepared, (select count(*)::int from pg_cursors) as cursors,
             (select count(*)::int from pg_listening_channels()) as channels`,
        ),
      );
    const before = await state();

    await database.transact(({ em }) => em.execute(statement));
    expect(await state()).toEqual(before);
    // Also outside a transaction.
    await database.orm.em
      .fork()
      .execute(statement)
      .catch(() => {});

    expect(await state()).toEqual(before);
  });

  test('can be used until the end of the unit of work', async () => {
    await using database = await openDatabase({ url: db.url });

    const [row] = await database.transact(async ({ em }) => {
      await em.execute(`set lock_timeout = '7s'`);
      return em.execute<{ timeout: string }[]>(`select current_setting('lock_timeout') as timeout`);
    });

    expect(row).toEqual({ timeout: '7s' });
  });

  test('is reused when it was not changed', async () => {
    await using database = await openDatabase({ url: db.url, pool: { max: 1 } });
    const pid = async (): Promise<unknown> =>
      database.transact(({ em }) =>
        em.execute(`set local lock_timeout = 5; select pg_backend_pid() as pid, 'set x'`),
      );

    expect(await pid()).toEqual(await pid());
  });

  test.skipIf(whyNoPooler !== null).each<[PoolMode]>([['transaction'], ['external']])(
    'is refused behind a pooler, and two hundred units of work of another client succeed: %s',
    async (poolMode) => {
      await using pooler = await PgBouncer.start(db.target, {
        poolMode: 'transaction',
        serverConnections: 2,
      });
      await using one = await openDatabase({ url: pooler.url(), poolMode });
      await using next = await openDatabase({
        url: pooler.url(),
        poolMode,
        pool: { acquireTimeout: 30_000 },
      });

      for (const [, statement] of leavings)
        await expect(one.transact(({ em }) => em.execute(statement))).rejects.toThrow(PoolerError);
      const outcomes = await concurrently(200, () =>
        next
          .transact(({ em }) => em.execute('select pg_sleep(0.005)'))
          .then(
            () => 'done',
            (error: unknown) => (error instanceof UnavailableError ? 'canceled' : error),
          ),
      );

      expect(new Set(outcomes)).toEqual(new Set(['done']));
      expect(await leftOn(pooler, 2, db.target)).toEqual([]);
    },
  );
});

/** Makes the pooler open `count` connections to the server and keep them. */
async function used(pooler: PgBouncer, count: number): Promise<void> {
  const clients = await concurrently(count, async () => {
    const client = new Client(pooler.url());
    client.on('error', () => {});
    await client.connect();
    onTestFinished(() => client.end().catch(() => {}));
    return client;
  });
  await concurrently(count, async (which) => clients[which]?.query('select pg_sleep(0.05)'));
  for (const client of clients) await client.end();
}
