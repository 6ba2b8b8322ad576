import { expect, onTestFinished, test } from 'vitest';
import { emptyDatabase, migratorOn, type TestDatabase } from './kit/database.ts';
import { WireProxy } from './kit/proxy/wire-proxy.ts';
import { completedRuns } from './final-state.ts';
import type { Migrations } from './project.ts';

const kinds = [
  ['that is one transaction', true],
  ['that runs statement by statement', false],
] as const;

/** A migration that makes the table `made`, and one that drops it again. */
function making(transactional: boolean): Migrations {
  return { M1: { up: ['create table made (id int)'], down: ['drop table made'], transactional } };
}

/** A database, and a proxy through which it loses connections. */
async function scene(migrations: Migrations) {
  const db = await emptyDatabase();
  const proxy = await WireProxy.start(db.target);
  onTestFinished(() => proxy.close());
  const migrator = migratorOn({ url: proxy.url() }, migrations, { lease: 1_000 });
  return { db, proxy, migrator };
}

/** Breaks the connection at the commit that ends a step: the one after its entry in the history. */
function failLastCommit(proxy: WireProxy, entry: RegExp, fault: 'cut' | 'cut after sending'): void {
  proxy.failAt(entry, { after: async () => proxy.failAt(/^commit$/, fault) });
}

const isMade = async ({ orm }: TestDatabase): Promise<boolean> =>
  (await orm.em.fork().execute(`select 1 where to_regclass('made') is not null`)).length > 0;

test.each(kinds)('a migration %s is done if the answer to its last commit was lost', async (_, kind) => {
  const { db, proxy, migrator } = await scene(making(kind));

  for (const [direction, made] of [
    ['up', true],
    ['down', false],
  ] as const) {
    failLastCommit(proxy, /insert into "migrator"."history"/, 'cut after sending');
    const done = await migrator[direction]();

    expect(proxy.armed).toBe(0);
    expect(done.map(({ name }) => name)).toEqual(['M1']);
    expect(await isMade(db)).toBe(made);
  }

  expect(await completedRuns(db.orm.em)).toEqual(['up M1', 'down M1']);
});

test.each(kinds)('a migration %s has failed if its last commit did not arrive', async (_, kind) => {
  const { db, proxy, migrator } = await scene(making(kind));
  await migrator.up();
  await migrator.down();

  failLastCommit(proxy, /insert into "migrator"."history"/, 'cut');
  await expect(migrator.up()).rejects.toMatchObject({ code: 'failed' });

  expect(proxy.armed).toBe(0);
  expect(await completedRuns(db.orm.em)).toEqual(['up M1', 'down M1']);
  await migrator.up();
  expect(await completedRuns(db.orm.em)).toEqual(['up M1', 'down M1', 'up M1']);
});

test.each(kinds)('a redo of a migration %s has failed if its up did', async (_, kind) => {
  const { db, proxy, migrator } = await scene(making(kind));
  await migrator.up();

  proxy.failAt(/insert into "public"."mikro_orm_migrations"/, {
    after: async () => proxy.failAt(/^commit$/, 'cut'),
  });
  await expect(migrator.redo()).rejects.toMatchObject({ code: 'failed' });

  expect(proxy.armed).toBe(0);
  expect(await completedRuns(db.orm.em)).toEqual(['up M1', 'down M1']);
});

// The server notices the lost connection only after the commit: the runner has to wait for the outcome.
test.each(kinds)('a migration %s that was reported as failed is not committed later', async (_, kind) => {
  const slowly = {
    M1: {
      up: ['create table made (id int)', 'insert into slow values (1)'],
      transactional: kind,
    },
  };
  const { db, proxy, migrator } = await scene(slowly);
  await db.orm.em.execute(`
    create table slow (n int);
    create function linger() returns trigger language plpgsql as 'begin perform pg_sleep(3); return new; end';
    create constraint trigger linger after insert on slow deferrable initially deferred
      for each row execute function linger()`);

  const failing = migrator.up().catch((error: unknown) => error);
  await expect.poll(() => committing(db)).toHaveLength(1);
  proxy.failNow('cut');
  expect(await failing).toMatchObject({ code: 'failed' });

  expect(await committing(db)).toEqual([]);
  expect(await db.orm.em.fork().execute('select * from slow')).toEqual([]);
});

async function committing({ orm }: TestDatabase): Promise<object[]> {
  return orm.em.fork().execute(
    `select pid from pg_stat_activity
     where datname = current_database() and state = 'active' and query = 'commit' and wait_event = 'PgSleep'`,
  );
}
