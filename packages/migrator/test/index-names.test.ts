import { describe, expect, onTestFinished, test } from 'vitest';
import { emptyDatabase, migratorOn, type TestDatabase } from './kit/database.ts';
import type { Migrations } from './project.ts';

/** A migration that runs statement by statement. */
function standing(...up: string[]): Migrations {
  return { A: { up, transactional: false } };
}

// The migrator counts rows that are there before a run, and refuses it.
const doubled = (table: string): string => `insert into ${table} values (1), (1)`;

describe('an index whose build failed is found by the name that the server gave it, and built again', () => {
  test.each([
    ['72 bytes', 'a'.repeat(72)],
    ['72 bytes, quoted', `"${'B'.repeat(72)}"`],
    ['many quotes', `"${'q""'.repeat(30)}"`],
    ['mixed case, unquoted', 'Ab'.repeat(36)],
    ['a character cut in the middle', `"${'x'.repeat(62)}ätail"`],
    ['characters of two bytes', 'é'.repeat(40)],
    ['characters of four bytes', `"${'😀'.repeat(17)}"`],
    ['escapes', `U&"${String.raw`\00e9`.repeat(40)}"`],
    ['dots', '"a.b.c"'],
    ['63 bytes', 'c'.repeat(63)],
  ])('%s', async (_, name) => {
    const db = await emptyDatabase();
    await db.orm.em.execute('create table t (a int)');
    const migrator = migratorOn(
      db,
      standing(doubled('t'), `create unique index concurrently ${name} on t (a)`),
    );

    await expect(migrator.up()).rejects.toMatchObject({ code: 'failed' });
    await db.orm.em.execute('delete from t');

    expect(await migrator.up()).toMatchObject([{ name: 'A' }]);
    expect(await indexes(db)).toEqual([{ valid: true }]);
  });

  test('in a schema of the search path, where another schema has an index of the same name', async () => {
    const db = await emptyDatabase();
    await db.orm.em.execute(
      `create schema a; create schema b; create table a.t (a int); create index i on a.t (a); create table b.u (a int);
       alter database "${db.target.parts.database}" set search_path = a, b`,
    );
    const migrator = migratorOn(db, standing(doubled('u'), 'create unique index concurrently i on u (a)'));

    await expect(migrator.up()).rejects.toMatchObject({ code: 'failed' });
    await db.orm.em.execute('delete from b.u');

    expect(await migrator.up()).toMatchObject([{ name: 'A' }]);
    expect(await indexes(db)).toEqual([{ valid: true }, { valid: true }]);
  });

  test('that meanwhile belongs to the index of a partitioned table', async () => {
    const db = await emptyDatabase();
    await db.orm.em.execute(
      `create table t (a int) partition by list (a); create table t1 partition of t for values in (1);
       create unique index i on only t (a)`,
    );
    const migrator = migratorOn(db, standing(doubled('t'), 'create unique index concurrently i1 on t1 (a)'));
    await expect(migrator.up()).rejects.toMatchObject({ code: 'failed' });
    await db.orm.em.execute('alter index i attach partition i1; truncate t');

    expect(await migrator.up()).toMatchObject([{ name: 'A' }]);

    expect(
      await db.orm.em.execute(`select indisvalid as valid from pg_index where indexrelid = 'i1'::regclass`),
    ).toEqual([{ valid: true }]);
  });
});

test('nothing is recorded as done while the index of that name is INVALID', async () => {
  const db = await emptyDatabase();
  await db.orm.em.execute('create table t (a int); create table u (a int); insert into u values (1), (1)');
  await db.orm.em.execute('create unique index concurrently i on u (a)').catch(() => {});
  const migrator = migratorOn(db, standing('create index concurrently if not exists i on t (a)'));

  await expect(migrator.up()).rejects.toMatchObject({
    code: 'failed',
    message: expect.stringContaining(
      'the index public.i of u is INVALID: drop index concurrently public.i, and retry',
    ),
  });
  expect(await migrator.status()).toMatchObject([{ condition: 'unfinished' }]);
  await db.orm.em.execute('drop index concurrently public.i');

  expect(await migrator.up()).toMatchObject([{ name: 'A' }]);
  expect(await indexes(db)).toEqual([{ valid: true }]);
});

test.each(['r', `"${'é'.repeat(31)}"`])('the leftover of a failed reindex of %s is dropped', async (name) => {
  const db = await emptyDatabase();
  await db.orm.em.execute(
    `create function f(int) returns int language sql immutable as 'select $1'; create table t (a int); insert into t values (0);
     create index ${name} on t (f(a)); create or replace function f(int) returns int language sql immutable as 'select 1/$1'`,
  );
  const migrator = migratorOn(db, standing(`reindex table concurrently t`));
  await expect(migrator.up()).rejects.toMatchObject({ code: 'failed' });
  expect(await indexes(db)).toEqual([{ valid: false }, { valid: true }]);
  await db.orm.em.execute('update t set a = 1');

  expect(await migrator.up()).toMatchObject([{ name: 'A' }]);

  expect(await indexes(db)).toEqual([{ valid: true }]);
});

describe('an interrupted drop of an index', () => {
  test('does not drop another index of the same name in a later schema', async () => {
    const db = await emptyDatabase();
    await db.orm.em.execute(
      `create schema a; create schema b; create table a.t (a int); create index i on a.t (a); create table b.t (a int); create index i on b.t (a);
       alter database "${db.target.parts.database}" set search_path = a, b`,
    );
    await interruptedAfter(db, 'drop index concurrently i');

    expect(await migratorOn(db, standing('drop index concurrently i')).up()).toMatchObject([{ name: 'A' }]);

    expect(
      await db.orm.em.execute(
        `select to_regclass('a.i') is null as dropped, to_regclass('b.i') is null as other`,
      ),
    ).toEqual([{ dropped: true, other: false }]);
  });

  test('is finished where the index is left', async () => {
    const db = await emptyDatabase();
    await db.orm.em.execute('create table t (a int); create index i on t (a)');
    const migrator = migratorOn(db, standing('drop index concurrently i', 'select 1/0'));
    await expect(migrator.up()).rejects.toMatchObject({ code: 'failed' });
    await db.orm.em.execute('create index i on t (a)');
    await db.orm.em.execute(
      `update migrator.progress set done = false, place = jsonb_build_object('oid', 'i'::regclass::oid)`,
    );

    await expect(migrator.up()).rejects.toThrow('statement 2');

    expect(await indexes(db)).toEqual([]);
  });

  test('of a missing index with `if exists` is done', async () => {
    const db = await emptyDatabase();
    await interruptedAfter(db, 'drop index concurrently if exists i');

    expect(await migratorOn(db, standing('drop index concurrently if exists i')).up()).toMatchObject([
      { name: 'A' },
    ]);
  });
});

test('a name that a server with another encoding truncates elsewhere is refused before the first statement', async () => {
  const db = await emptyDatabase();
  const name = `${db.target.parts.database}_latin1`;
  await db.orm.em.execute(`create database "${name}" encoding latin1 locale 'C' template template0`);
  onTestFinished(async () => void (await db.orm.em.execute(`drop database "${name}" with (force)`)));
  const url = new URL(db.url);
  url.pathname = name;
  const up = ['create table t (a int)', `create index concurrently ${'é'.repeat(40)} on t (a)`];

  await expect(migratorOn({ url: url.href }, standing(...up)).up()).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('encoding LATIN1'),
  });

  expect(
    await migratorOn(
      { url: url.href },
      standing('create table t (a int)', 'create index concurrently é on t (a)'),
    ).up(),
  ).toMatchObject([{ name: 'A' }]);
});

/** Runs a statement of a migration whose completion can't be recorded, as if the process had been killed after it. */
async function interruptedAfter(db: TestDatabase, statement: string): Promise<void> {
  const { em } = db.orm;
  // Creates the migrator's tables.
  await migratorOn(db, { '0': { up: [] } }).up();
  await em.execute('delete from public.mikro_orm_migrations');
  await em.execute(
    `create function migrator.stop() returns trigger language plpgsql as 'begin raise ''stopped''; end';
     create trigger stop before insert or update on migrator.progress for each row when (new.done) execute function migrator.stop()`,
  );
  await expect(migratorOn(db, standing(statement)).up()).rejects.toThrow('P0001');
  await em.execute('drop trigger stop on migrator.progress');
}

async function indexes({ orm: { em } }: TestDatabase): Promise<unknown[]> {
  return em.execute(
    `select indisvalid as valid from pg_index join pg_class on pg_class.oid = indexrelid
     where relnamespace not in (select oid from pg_namespace where nspname ~ '^pg_' or nspname in ('migrator', 'information_schema')) and not indisprimary order by 1`,
  );
}
