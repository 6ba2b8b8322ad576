import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { Experiment } from '../../src/entities.ts';
import {
  ConnectionError,
  openDatabase,
  PoolerError,
  SettingsError,
  UnavailableError,
  type Database,
  type EntityManager,
} from '../../src/index.ts';
import { Migrator } from 'mikro-orm-safe-migrations';
import { parseDatabaseUrl } from '../../src/settings/database-url.ts';
import { TestDatabase, TestServer, anExperiment } from '../../src/testing/index.ts';
import { connect } from '../../src/postgres/orm/connect.ts';
import { concurrently } from '../concurrency/concurrently.ts';
import { PgBouncer, whyNoPooler } from '../../packages/migrator/test/kit/pgbouncer.ts';
import { leftOn } from './server-connections.ts';

const clients = 20;
const serverConnections = 2;

let db: TestDatabase;
let pooler: PgBouncer;
let database: Database;
beforeAll(async () => {
  db = await TestDatabase.create();
  if (whyNoPooler !== null) return;
  pooler = await PgBouncer.start(db.target, { poolMode: 'transaction', serverConnections });
  database = await openDatabase({
    url: pooler.url(),
    poolMode: 'transaction',
    pool: { max: clients, acquireTimeout: 30_000 },
  });
});
beforeEach(({ skip }) => {
  if (whyNoPooler !== null) skip(whyNoPooler);
});
afterEach(async () => {
  if (whyNoPooler !== null) return;
  const left = await leftOn(pooler, serverConnections, db.target);
  if (left.length > 0) throw new Error(`was left on a server connection: ${left.join(', ')}`);
});
afterAll(async () => {
  if (whyNoPooler === null) {
    await database.close();
    await pooler.stop();
  }
  await db.drop();
});

const execute = (sql: string): Promise<unknown> => database.orm.em.fork().execute(sql);
const inUnitOfWork = (sql: string): Promise<unknown> => database.transact(async ({ em }) => em.execute(sql));

const everybody = <T>(work: (client: number) => Promise<T>): Promise<T[]> => concurrently(clients, work);

describe(`${clients} clients on ${serverConnections} server connections`, () => {
  test('read and write concurrently, and no statement has a name', async () => {
    await concurrently(200, async (worker) => {
      const id = await database.transact(async ({ em }) => anExperiment(em, { name: `n${worker}` }).id);
      const found = await database.read(({ experiments }) => experiments.get(id));
      expect(found.name).toBe(`n${worker}`);
      await database.read(({ experiments }) => experiments.scrollSummaries({ first: 5 }));
    });

    const pool = await database.orm.em.getConnection().getNativeClient();
    const named = pool.query({ name: 'mine', text: 'select 1' });
    await expect(named).rejects.toThrow(PoolerError);
    await expect(inUnitOfWork('prepare mine as select 1')).rejects.toThrow(PoolerError);
  });

  test('can not change settings of the session; settings of a transaction are empty after it', async () => {
    await expect(inUnitOfWork(`set work_mem = '1MB'`)).rejects.toThrow(PoolerError);
    await expect(execute(`select set_config('app.user', 'one', false)`)).rejects.toThrow(PoolerError);
    await everybody((client) =>
      database.transact(async ({ em }) => em.execute('select 1'), { settings: { 'app.user': `${client}` } }),
    );

    const values = await everybody(() => execute(`select current_setting('app.user', true) as value`));
    expect(values.flat()).not.toContainEqual({ value: expect.stringMatching(/./) });
  });

  test('can not hold an advisory lock after a transaction; those of repositories end with it', async () => {
    await expect(inUnitOfWork('select pg_advisory_lock(1)')).rejects.toThrow(PoolerError);
    await expect(execute('select pg_try_advisory_lock(1)')).rejects.toThrow(PoolerError);

    const groups = await everybody(() =>
      database.transact(async ({ synthGroups }) => (await synthGroups.ensureDefault()).id),
    );

    expect(new Set(groups).size).toBe(1);
  });

  test('have separate temporary tables', async () => {
    await expect(execute('create temp table t (a int)')).rejects.toThrow(PoolerError);

    const sums = await everybody((client) =>
      database.transact(async ({ em }) => {
        await em.execute('create temp table t (a int)');
        await em.execute('insert into t values (?)', [client]);
        return em.execute('select sum(a)::int as sum from t');
      }),
    );

    expect(sums.flat()).toEqual(Array.from({ length: clients }, (_, sum) => ({ sum })));
  });

  test('can not listen', async () => {
    await expect(inUnitOfWork('listen jobs')).rejects.toThrow('bypasses the pooler');
  });

  test('can not keep a cursor after a transaction; within one it works', async () => {
    await expect(inUnitOfWork('declare c cursor with hold for select 1')).rejects.toThrow(PoolerError);

    const rows = await everybody(() =>
      database.transact(async ({ em }) => {
        await em.execute('declare c cursor for select generate_series(1, 3) as n');
        return em.execute('fetch 2 from c');
      }),
    );

    expect(rows).toEqual(Array.from({ length: clients }, () => [{ n: 1 }, { n: 2 }]));
  });

  test('have separate timeouts', async () => {
    const outcomes = await everybody((client) =>
      database
        .transact(async ({ em }) => em.execute('select pg_sleep(0.2)'), {
          timeouts: client % 2 === 0 ? { statement: 20 } : {},
        })
        .then(
          () => 'done',
          (error: unknown) => (error instanceof UnavailableError ? 'canceled' : error),
        ),
    );

    expect(outcomes).toEqual(
      Array.from({ length: clients }, (_, client) => (client % 2 === 0 ? 'canceled' : 'done')),
    );
  });

  test('stream while another client holds the other connection, in a transaction and outside', async () => {
    await concurrently(50, (worker) =>
      database.transact(async ({ em }) => anExperiment(em, { name: `s${worker}` })),
    );
    await database.transact(async ({ em: holder }) => {
      await holder.execute('select 1');
      const counts = await concurrently(5, async (worker) =>
        worker % 2 === 0 ? stream(database.orm.em.fork()) : database.transact(({ em }) => stream(em)),
      );
      expect(counts).toEqual([50, 50, 50, 50, 50]);
    });
  });
});

describe('an option at login', () => {
  test('is refused before anything is opened when the pooler is configured', async () => {
    vi.stubEnv('PGOPTIONS', '-c statement_timeout=5');
    try {
      const opening = openDatabase({ url: pooler.url(), poolMode: 'transaction' });

      await expect(opening).rejects.toBeInstanceOf(SettingsError);
      await expect(opening).rejects.toThrow('alter role');
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('is refused by a pooler that is not configured, with the name of the option', async () => {
    vi.stubEnv('PGOPTIONS', '-c statement_timeout=5');
    try {
      const opening = openDatabase({ url: pooler.url() });

      await expect(opening).rejects.toBeInstanceOf(ConnectionError);
      await expect(opening).rejects.toThrow('a pooler in front of it, refused the options of the connection');
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('can be the application name', async () => {
    await using named = await openDatabase({
      url: `${pooler.url()}?application_name=by-name`,
      poolMode: 'transaction',
      timeouts: { statement: 5_000, lock: 5_000, idleInTransaction: 5_000 },
    });

    const [row] = await named.transact(({ em }) =>
      em.execute(`select current_setting('application_name') as name`),
    );

    expect(row).toEqual({ name: 'by-name' });
  });
});

test('migrations leave no state of the session', async () => {
  await using empty = await TestServer.shared().createEmptyDatabase();
  await using own = await PgBouncer.start(empty.target, { poolMode: 'transaction', serverConnections });
  const orm = await connect(parseDatabaseUrl(own.url(), 'url'), { poolMode: 'transaction' });
  try {
    await new Migrator(orm).up();
  } finally {
    await orm.close(true);
  }

  expect(await leftOn(own, serverConnections, empty.target)).toEqual([]);
  expect(await empty.read(({ experiments }) => experiments.scrollSummaries())).toMatchObject({ data: [] });
});

/** Streams experiments and returns their number. */
async function stream(em: EntityManager): Promise<number> {
  let rows = 0;
  for await (const { name } of em.stream(Experiment)) if (name.startsWith('s')) rows++;
  return rows;
}
