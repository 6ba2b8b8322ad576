import { expect, onTestFinished, test } from 'vitest';
import { emptyDatabase, migratorOn, ormOn, type TestDatabase } from './kit/database.ts';
import { all, first, second } from './chain.ts';
import { completedRuns } from './final-state.ts';
import { Migrator } from 'mikro-orm-safe-migrations';
import { OutsideSession } from './kit/outside-session.ts';
import { runUp } from './run-up.ts';

test.each([
  [`datestyle = 'German, DMY'`, `default_transaction_isolation = 'serializable'`, `search_path = ''`],
  [`datestyle = 'SQL, DMY'`, `timezone = 'Asia/Kolkata'`, `intervalstyle = 'sql_standard'`],
])('migrates a database whose sessions begin with %s, %s and %s', async (...settings) => {
  const db = await emptyDatabase();
  const own = { M1: { up: ['create table public.shop (id int)'], down: ['drop table public.shop'] } };
  for (const setting of settings)
    await db.orm.em.execute(`alter database "${db.target.parts.database}" set ${setting}`);
  const migrator = migratorOn(db, {
    ...own,
    M2: {
      up: ['create index concurrently shop_id on public.shop (id)'],
      down: ['drop index concurrently public.shop_id'],
      transactional: false,
    },
  });
  const begun = Date.now() - 60_000;

  await migrator.up();
  await migrator.redo();

  const [status] = await migrator.status();
  expect(status).toMatchObject({ condition: 'applied', duration: expect.any(Number) });
  expect(status?.appliedAt?.getTime()).toBeGreaterThan(begun);
  expect(status?.appliedAt?.getTime()).toBeLessThan(Date.now() + 60_000);
});

test('names the process of a former holder that this role may not terminate, waits, and changes nothing', async () => {
  const db = await emptyDatabase();
  const slow = { ...all, [second]: { up: ['lock table first', 'select pg_sleep(0)'] } };
  await migratorOn(db, slow).up({ to: first });
  await using outside = await OutsideSession.holding(db, 'lock table first in access share mode');
  const abandoned = runUp(db.url, slow, { lease: 500, lockTimeout: 30_000 });
  const [pid] = await outside.waiting(1, 'lock table');
  abandoned.kill('SIGSTOP');
  onTestFinished(() => void abandoned.kill('SIGKILL'));
  const role = await ordinaryRole(db);

  const refused = migratorOn(role, all, { lockWait: 2_500, lease: 500 }).up();

  await expect(refused).rejects.toMatchObject({
    code: 'lock_held',
    message: expect.stringMatching(
      new RegExp(`server process ${pid} of role \\S+ still works for .* pg_terminate_backend\\(${pid}\\)`),
    ),
  });
  expect(await completedRuns(db.orm.em)).toEqual([`up ${first}`]);
  expect(await db.orm.em.execute('select token::int from migrator.lease')).toEqual([{ token: 2 }]);
});

test('refuses a pool without a connection for the heartbeat, before it creates anything', async () => {
  const db = await emptyDatabase();

  const refused = new Migrator(ormOn(db, all, { pool: { max: 2 } })).up();

  await expect(refused).rejects.toThrow(
    'pool.max is 2, and migrations need 3 connections: set it to 3 or more',
  );
  expect(await db.orm.em.execute(`select to_regnamespace('migrator') as made`)).toEqual([{ made: null }]);
});

test('refuses a concurrent index without a name before the first statement of its migration', async () => {
  const db = await emptyDatabase();
  const up = ['create table t (id int)', 'create index concurrently on t (id)'];
  const migrator = migratorOn(db, { M1: { up, transactional: false } });

  await expect(migrator.up()).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('name it'),
  });

  expect(await db.orm.em.execute(`select to_regclass('t') as made`)).toEqual([{ made: null }]);
  expect(await db.orm.em.execute('select * from migrator.progress')).toEqual([]);
});

/** The database by a role that may do all but what superusers may. */
async function ordinaryRole({ orm: { em }, target, url: own }: TestDatabase): Promise<{ url: string }> {
  const role = `role_${target.parts.database}`;
  await em.execute(`create role "${role}" login password 'secret' in role pg_read_all_stats`);
  await em.execute(`grant all on schema migrator, public to "${role}"`);
  await em.execute(`grant all on all tables in schema migrator, public to "${role}"`);
  onTestFinished(async () => {
    await em.execute(`drop owned by "${role}"; drop role "${role}"`);
  });
  const url = new URL(own);
  [url.username, url.password] = [role, 'secret'];
  return { url: url.href };
}
