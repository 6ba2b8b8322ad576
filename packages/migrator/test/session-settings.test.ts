import { expect, test } from 'vitest';
import { Migrator } from 'mikro-orm-safe-migrations';
import { emptyDatabase, migratorOn, ormOn } from './kit/database.ts';

test('settings of a migration, as in dumps, do not affect other migrations', async () => {
  const db = await emptyDatabase();
  const sets = [
    `select pg_catalog.set_config('search_path', '', false)`,
    'set statement_timeout = 0; set lock_timeout = 0; set check_function_bodies = off; set row_security = off',
  ];
  const seen = `create table seen as select current_setting('search_path') as path, current_setting('check_function_bodies') as bodies,
       current_setting('row_security') as rows, current_setting('lock_timeout') as locks`;

  await migratorOn(db, {
    A: { up: [...sets, 'create table public.a ()'] },
    B: { up: [seen] },
    C: { up: [...sets, 'create table public.c ()'], transactional: false },
    D: { up: ['create table d ()'] },
  }).up();

  expect(await db.orm.em.execute('select * from seen')).toEqual([
    { path: '"$user", public', bodies: 'on', rows: 'on', locks: '1s' },
  ]);
});

test('restores the role that a migration sets', async () => {
  const db = await emptyDatabase();
  const orm = ormOn(db, {
    A: { up: ['set role pg_database_owner', 'create table owned ()'] },
    B: { up: ['set local role pg_database_owner', 'create table owned_too ()'] },
    C: { up: ['create table own ()'] },
  });

  await new Migrator(orm).up();

  expect(
    await db.orm.em.execute(`select relname, relowner::regrole::text = current_user as ours from pg_class
      where relname ~ '^own' order by relname`),
  ).toEqual([
    { relname: 'own', ours: true },
    { relname: 'owned', ours: false },
    { relname: 'owned_too', ours: false },
  ]);
});

test('timeouts of a role or a database do not apply to a migration', async () => {
  const db = await emptyDatabase();
  for (const [name, value] of [
    ['statement_timeout', '200ms'],
    ['idle_in_transaction_session_timeout', '200ms'],
    ['idle_session_timeout', '300ms'],
    ['transaction_timeout', '300ms'],
  ]) {
    // The last two are not known to every version of PostgreSQL.
    await db.orm.em.execute(
      `do $$ begin if current_setting('${name}', true) is not null then
         execute format('alter database %I set ${name} = %L', current_database(), '${value}'); end if; end $$`,
    );
  }
  const slow = 'select pg_sleep(0.6)';
  const migrator = migratorOn(db, {
    A: { up: ['create table a (id int)', slow] },
    B: { up: ['create index concurrently i on a (id)', slow, 'vacuum a'], transactional: false },
  });

  expect(await migrator.up()).toMatchObject([{ name: 'A' }, { name: 'B' }]);
});
