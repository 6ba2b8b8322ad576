import { expect, test } from 'vitest';
import { openDatabase } from '../../src/index.ts';
import { TestDatabase, anExperiment } from '../../src/testing/index.ts';
import { rejectionOf } from '../database/reported-error.ts';
import { PgBouncer, whyNoPooler } from '../../packages/migrator/test/kit/pgbouncer.ts';

const reason = new Error('given up');

test.skipIf(whyNoPooler)(
  'the restart of a pooler aborts running units of work, and the next one succeeds',
  async () => {
    await using db = await TestDatabase.create();
    await using pooler = await PgBouncer.start(db.target, { poolMode: 'transaction', serverConnections: 2 });
    await using database = await openDatabase({
      url: pooler.url(),
      poolMode: 'transaction',
      pool: { max: 2 },
    });
    const pool = await database.orm.em.getConnection().getNativeClient();

    for (let round = 0; round < 3; round++) {
      const running = ['select pg_sleep(60)', 'select 1'].map((statement) =>
        rejectionOf(
          database.transact(async ({ em }) => {
            anExperiment(em);
            await em.flush();
            await em.execute(statement);
            await Promise.withResolvers<never>().promise;
          }),
        ),
      );
      await expect.poll(() => statements(db)).toHaveLength(2);

      await pooler.restart();

      for (const failure of await Promise.all(running))
        expect(failure).toMatchObject({ code: 'connection_lost' });
      expect(await database.transact(({ em }) => em.execute('select 1 as one'))).toEqual([{ one: 1 }]);
      expect(pool).toMatchObject({ totalCount: 1, idleCount: 1, waitingCount: 0 });
      await db.orm.em.execute(
        `select pg_terminate_backend(pid, 5000) from pg_stat_activity where query = 'select pg_sleep(60)'`,
      );
    }
    expect(await db.orm.em.execute('select 1 from experiments')).toEqual([]);
  },
);

test.skipIf(whyNoPooler).each(['transaction', 'external'] as const)(
  'a signal cancels the statement through a pooler, and no other: %s',
  async (poolMode) => {
    await using db = await TestDatabase.create();
    await using pooler = await PgBouncer.start(db.target, { poolMode: 'transaction', serverConnections: 2 });
    await using database = await openDatabase({
      url: pooler.url(),
      poolMode,
      pool: { max: 6, acquireTimeout: 20_000 },
    });

    for (let round = 0; round < 4; round++) {
      const caller = new AbortController();
      const canceled = rejectionOf(
        database.transact(({ em }) => em.execute('select pg_sleep(60)'), { signal: caller.signal }),
      );
      await expect.poll(() => statements(db)).toContainEqual({ query: 'select pg_sleep(60)' });
      const others = Array.from({ length: 4 }, () =>
        database.transact(({ em }) => em.execute('select pg_sleep(0.01), 1 as one')),
      );
      caller.abort(reason);

      expect(await canceled).toBe(reason);
      expect(await Promise.all(others)).toMatchObject(others.map(() => [{ one: 1 }]));
      await expect.poll(() => statements(db)).toEqual([]);
    }
  },
);

/** Returns the running statements of the server's processes behind the pooler. */
function statements(db: TestDatabase): Promise<{ query: string }[]> {
  return db.orm.em.fork().execute(
    `select query from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and state in ('active', 'idle in transaction')`,
  );
}
