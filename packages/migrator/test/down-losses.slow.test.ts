import { randomBytes } from 'node:crypto';
import type { MikroORM } from '@mikro-orm/postgresql';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Migrator, type DownLosses } from 'mikro-orm-safe-migrations';
import { TestDatabase } from './kit/database.ts';
import { OutsideSession } from './kit/outside-session.ts';
import { projectOn } from './project.ts';

const first = {
  up: [
    'create schema shop',
    'create table author (id int primary key, name text, born int, age int generated always as (2000 - born) stored)',
    'create table book (id int primary key, author int references author on delete cascade, title varchar(40))',
    'create table empty_one (id int)',
    'create table shop.visit (id int, at timestamptz) partition by range (id)',
    'create table shop.visit_1 partition of shop.visit for values from (0) to (10)',
    'create table shop."Odd name" (id int)',
    'create index on author (name)',
  ],
  down: ['drop schema shop cascade', 'drop table book', 'drop table author', 'drop table empty_one'],
};

const rows = `
  insert into author values (1, 'ann', 1970); insert into book values (1, 1, 'one');
  insert into shop.visit values (1, now()); insert into shop."Odd name" values (1)`;

interface Filled {
  readonly db: TestDatabase;
  readonly orm: MikroORM;
  readonly migrator: Migrator;
}

/** A database of `first` and a second migration that goes back by `down`, its tables filled by `sql`. */
async function filled(down: readonly string[], sql = rows): Promise<Filled> {
  const db = await TestDatabase.create();
  const orm = projectOn(db.url, { M1: first, M2: { up: [], down } });
  onTestFinished(async () => {
    await orm.close(true);
    await db.drop();
  });
  const migrator = new Migrator(orm);
  await migrator.up();
  if (sql !== '') await orm.em.execute(sql);
  return { db, orm, migrator };
}

describe('down loses', () => {
  const nothing: string[] = [];
  test.each<[what: string, down: string[], tables: string[]]>([
    ['nothing by an index', ['drop index author_name_idx'], nothing],
    ['nothing by a new index', ['create index on book (title)'], nothing],
    ['nothing by a constraint', ['alter table book drop constraint book_author_fkey'], nothing],
    ['nothing by an empty table', ['drop table empty_one'], nothing],
    ['nothing by deleting from an empty table', ['delete from empty_one', 'truncate empty_one'], nothing],
    ['nothing by a new column', ['alter table book add pages int'], nothing],
    ['nothing by a renamed table', ['alter table book rename to volume'], nothing],
    ['nothing by a renamed column', ['alter table book rename title to name'], nothing],
    ['nothing by a table in another schema', ['alter table shop.visit set schema public'], nothing],
    ['nothing by a generated column', ['alter table author drop age'], nothing],
    ['nothing by a default', [`alter table author alter name set default 'x'`], nothing],
    ['nothing by inserts', [`insert into author values (2)`], nothing],
    ['a table', ['drop table book'], ['book']],
    ['a table of any name', ['drop table shop."Odd name"'], ['shop."Odd name"']],
    ['a table that is renamed first', ['alter table book rename to b', 'drop table b'], ['book']],
    ['a schema', ['drop schema shop cascade'], ['shop."Odd name"', 'shop.visit', 'shop.visit_1']],
    ['a partition', ['drop table shop.visit_1'], ['shop.visit_1']],
    ['a column', ['alter table book drop title'], ['book']],
    [
      'a column dropped and added',
      ['alter table book drop title', 'alter table book add title text'],
      ['book'],
    ],
    ['a column of a partitioned table', ['alter table shop.visit drop at'], ['shop.visit', 'shop.visit_1']],
    ['a shorter type', ['alter table book alter title type varchar(5)'], ['book']],
    ['deleted rows', ['delete from book'], ['book']],
    ['updated values', ['update book set id = 2'], ['book']],
    [
      'values of a table that is rewritten',
      [`alter table book alter title type varchar(40) using 'x'`],
      ['book'],
    ],
    ['rows deleted by a query', ['with gone as (delete from book returning 1) select from gone'], ['book']],
    ['emptied tables', ['truncate author cascade'], ['author', 'book']],
    ['an emptied partitioned table', ['truncate shop.visit'], ['shop.visit', 'shop.visit_1']],
  ])('%s', async (_, down, tables) => {
    const { migrator } = await filled(down);

    expect(await migrator.lossesOfDown()).toEqual({ tables, unknown: null });
  });

  test('what all reverted migrations lose', async () => {
    const { migrator } = await filled([]);
    const everything = ['author', 'book', 'shop."Odd name"', 'shop.visit', 'shop.visit_1'];

    expect(await migrator.lossesOfDown({ steps: 1 })).toEqual({ tables: [], unknown: null });
    expect(await migrator.lossesOfDown({ to: 'M1' })).toEqual({ tables: [], unknown: null });
    for (const request of [{ steps: 2 }, { all: true }])
      expect(await migrator.lossesOfDown(request)).toEqual({ tables: everything, unknown: null });
  });

  test('nothing where no table holds a row', async () => {
    const { migrator } = await filled(['drop table book'], '');

    expect(await migrator.lossesOfDown({ all: true })).toEqual({ tables: [], unknown: null });
  });

  test('a manually created table in a dropped schema', async () => {
    const { migrator } = await filled(
      ['drop schema shop cascade'],
      'create table shop.by_hand (id int); insert into shop.by_hand values (1)',
    );

    expect(await migrator.lossesOfDown()).toEqual({ tables: ['shop.by_hand'], unknown: null });
  });

  test('what `lossesOfDown` reports without a change', async () => {
    const { orm, migrator } = await filled(['drop table book', 'delete from author']);
    const before = await migrator.status();

    expect(await migrator.lossesOfDown()).toMatchObject({ tables: ['author', 'book'] });
    expect(await migrator.status()).toEqual(before);
    expect(await orm.em.execute('select id from book')).toEqual([{ id: 1 }]);
    await migrator.down();
    expect(await orm.em.execute('select id from author')).toEqual([]);
  });
});

describe('every table with rows counts where the losses are unknown', () => {
  const everything = ['author', 'book', 'shop."Odd name"', 'shop.visit', 'shop.visit_1'];
  const unknown = (why: string): DownLosses => ({
    tables: everything,
    // oxlint-disable-next-line typescript/no-unsafe-assignment -- a matcher
    unknown: expect.stringContaining(why),
  });

  test.each([
    ['a block', 'do $$ begin if exists (select from author) then delete from book; end if; end $$'],
    ['a function', '/* why */ select setval(pg_get_serial_sequence($$author$$, $$id$$), 1)'],
    ['a procedure', '-- why\ncall tidy()'],
  ])('%s, which may depend on rows', async (_, statement) => {
    const { migrator } = await filled([statement]);

    expect(await migrator.lossesOfDown()).toEqual(unknown('M2 depends on the rows of the database'));
  });

  test('a migration that fails on the scratch database', async () => {
    const { migrator } = await filled(['create index on author (gone)']);

    expect(await migrator.lossesOfDown()).toEqual(unknown('M2 failed in down()'));
  });

  test('a role that may not create databases', async () => {
    const { db, orm } = await filled(['drop table book']);
    const role = `loser_${randomBytes(4).toString('hex')}`;
    await orm.em.execute(
      `create role ${role} login password 'x'; grant usage on schema migrator, shop to ${role};
       grant select on all tables in schema public, migrator, shop to ${role}`,
    );
    onTestFinished(async () => void (await orm.em.execute(`drop owned by ${role}; drop role ${role}`)));
    const url = new URL(db.url);
    [url.username, url.password] = [role, 'x'];
    const unprivileged = projectOn(url.href, { M1: first, M2: { up: [], down: ['drop table book'] } });
    onTestFinished(() => unprivileged.close(true));

    expect(await new Migrator(unprivileged).lossesOfDown()).toEqual(unknown('may not create databases'));
  });
});

test('a locked table counts as one with rows', async () => {
  const { db, migrator } = await filled(['drop table empty_one', 'drop table book'], '');
  await using _ = await OutsideSession.holding(db, 'lock table empty_one');

  expect(await migrator.lossesOfDown()).toEqual({ tables: ['book', 'empty_one'], unknown: null });
});
