import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/index.ts';
import { TestDatabase, anExperiment } from '../../src/testing/index.ts';
import { barrier, openWithPool, concurrently } from './concurrently.ts';

describe('a thousand concurrent units of work on ten connections', () => {
  let db: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    db = await TestDatabase.create();
    database = await openWithPool(db, 10, 'thousand');
  });
  afterAll(async () => {
    await database.close();
    await db.drop();
  });

  const connections = async (): Promise<{ all: number; busy: number }> => {
    const [row = { busy: -1 }] = await db.orm.em.fork().execute<{ busy: number }[]>(
      `select count(*)::int as busy from pg_stat_activity
        where datname = current_database() and application_name = 'thousand' and state <> 'idle'`,
    );
    // Behind a pooler, the server may have fewer connections.
    const { totalCount } = await database.orm.em.getConnection().getNativeClient();
    return { all: totalCount, ...row };
  };

  /** All ten connections can be held at the same time. */
  async function expectAllSlots(): Promise<void> {
    const held = barrier(10);
    await concurrently(10, () =>
      database.transact(async ({ em }) => {
        await em.execute('select 1');
        await held();
      }),
    );
    expect(await connections()).toEqual({ all: 10, busy: 0 });
  }

  test('all succeed, and all connections return to the pool', async () => {
    const written = await concurrently(1_000, () => database.transact(async ({ em }) => anExperiment(em).id));

    expect(new Set(written).size).toBe(1_000);
    const { pagination } = await database.read(({ experiments }) => experiments.pageSummaries({ limit: 1 }));
    expect(pagination.total).toBe(1_000);
    await expectAllSlots();
  });

  test('all connections return to the pool after failures of different kinds', async () => {
    const failures: (() => Promise<unknown>)[] = [
      () => database.transact(() => Promise.reject(new Error('by itself'))),
      () => database.transact(({ em }) => em.execute('select 1 / 0')),
      () => database.transact(async ({ em }) => void anExperiment(em, { name: ' ' })),
      () => database.transact(async (uow) => uow.transact(({ em }) => em.execute('select 1 / 0'))),
      () => database.read(({ experiments }) => experiments.get('exp_missing')),
      () => database.read(({ experiments }) => experiments.get('exp_missing'), { snapshot: true }),
    ];

    const outcomes = await Promise.allSettled(
      Array.from({ length: 170 }, () => failures.map((fail) => fail())).flat(),
    );

    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['rejected']));
    await expectAllSlots();
  });
});
