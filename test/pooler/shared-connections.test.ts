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
import { TestDatabase, TestServer, anExperiment } from '../../src/testing/index.ts';
import { connect } from '../../src/postgres/orm/connect.ts';
import { together } from '../concurrency/together.ts';
import { PgBouncer, whyNoPooler } from './pgbouncer.ts';
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

const everybody = <T>(work: (client: number) => Promise<T>): Promise<T[]> => together(clients, work);

describe(`${clients} clients on ${serverConnections} server connections`, () => {
  test('read and write at once, and no statement has a name', async () => {
    await together(200, async (worker) => {
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

  test('can not set what others would meet; what a transaction sets is empty after it', async () => {
    await expect(inUnitOfWork(`set work_mem = '1MB'`)).rejects.toThrow(PoolerError);
    await expect(execute(`select set_config('app.user', 'one', false)`)).rejects.toThrow(PoolerError);
    await everybody((client) =>
      database.transact(async ({ em }) => em.execute('select 1'), { settings: { 'app.user': `${client}` } }),
    );

    const values = await everybody(() => execute(`select current_setting('app.user', true) as value`));
    expect(values.flat()).not.toContainEqual({ value: expect.stringMatching(/./) });
  });

  test('can not hold an advisory lock past a transaction; those of the repositories end with it', async () => {
    await expect(inUnitOfWork('select pg_advisory_lock(1)')).rejects.toThrow(PoolerError);
    await expect(execute('select pg_try_advisory_lock(1)')).rejects.toThrow(PoolerError);

    const groups = await everybody(() =>
      database.transact(async ({ synthGroups }) => (await synthGroups.ensureDefault()).id),
    );

    expect(new Set(groups).size).toBe(1);
  });

  test('have temporary tables of their own, which nobody meets', async () => {
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
    await expect(inUnitOfWork('listen jobs')).rejects.toThrow('past the pooler');
  });

  test('can not keep a cursor past a transaction; within one it works', async () => {
    await expect(inUnitOfWork('declare c cursor with hold for select 1')).rejects.toThrow(PoolerError);

    const rows = await everybody(() =>
      database.transact(async ({ em }) => {
        await em.execute('declare c cursor for select generate_series(1, 3) as n');
        return em.execute('fetch 2 from c');
      }),
    );

    expect(rows).toEqual(Array.from({ length: clients }, () => [{ n: 1 }, { n: 2 }]));
  });

  test('have timeouts of their own, which others never meet', async () => {
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

  test('stream while another holds the other connection, in a transaction and outside', async () => {
    await together(50, (worker) =>
      database.transact(async ({ em }) => anExperiment(em, { name: `s${worker}` })),
    );
    await database.transact(async ({ em: holder }) => {
      await holder.execute('select 1');
      const counts = await together(5, async (worker) =>
        worker % 2 === 0 ? stream(database.orm.em.fork()) : database.transact(({ em }) => stream(em)),
      );
      expect(counts).toEqual([50, 50, 50, 50, 50]);
    });
  });
});

describe('what is asked for at login', () => {
  test('is refused before anything is opened, when the pooler is known', async () => {
    vi.stubEnv('PGOPTIONS', '-c statement_timeout=5');
    try {
      const opening = openDatabase({ url: pooler.url(), poolMode: 'transaction' });

      await expect(opening).rejects.toBeInstanceOf(SettingsError);
      await expect(opening).rejects.toThrow('alter role');
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('is refused by a pooler that nobody spoke of, with what it is', async () => {
    vi.stubEnv('PGOPTIONS', '-c statement_timeout=5');
    try {
      const opening = openDatabase({ url: pooler.url() });

      await expect(opening).rejects.toBeInstanceOf(ConnectionError);
      await expect(opening).rejects.toThrow('a pooler in front of it, refused the options of the connection');
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('may be a name', async () => {
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

test('migrations through it leave nothing behind', async () => {
  await using empty = await TestServer.shared().createEmptyDatabase();
  await using own = await PgBouncer.start(empty.target, { poolMode: 'transaction', serverConnections });
  const orm = await connect(own.target, { poolMode: 'transaction' });
  try {
    await new Migrator(orm).up();
  } finally {
    await orm.close(true);
  }

  expect(await leftOn(own, serverConnections, empty.target)).toEqual([]);
  expect(await empty.read(({ experiments }) => experiments.scrollSummaries())).toMatchObject({ data: [] });
});

/** How many experiments of those it streams. */
async function stream(em: EntityManager): Promise<number> {
  let rows = 0;
  for await (const { name } of em.stream(Experiment)) if (name.startsWith('s')) rows++;
  return rows;
}
