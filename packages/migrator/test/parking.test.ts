import { describe, expect, test } from 'vitest';
import {
  describeDifference,
  MigrationRefusedError,
  MigratorError,
  park,
  unpark,
} from 'mikro-orm-safe-migrations';
import { readCatalog } from '../src/catalog/catalog.ts';
import { differences } from '../src/catalog/differences.ts';
import { emptyDatabase, migratorOn, type TestDatabase } from './kit/database.ts';

/** A table with all that may contain a column. */
const made = `
  create table owners (id int primary key);
  create table things (
    id int primary key, name text not null default 'unnamed', note text collate "C" not null, size int not null check (size > 0),
    owner int references owners on delete cascade, part_of int references things,
    constraint things_name_key unique (name, size), constraint chk check (length(note) < 100)
  );
  comment on column things.note is 'It''s a note';
  comment on constraint chk on things is 'short';
  create index idx_note on things (lower(note)) where size > 1;
  comment on index idx_note is 'for search';
  create index idx_owner on things (owner, id);
  create view shown as select id, note from things;
  insert into owners values (1);
  insert into things select n, 'n' || n, 'note ' || n, n, 1, nullif(n - 1, 0) from generate_series(1, 20) n`;

async function differencesAfter(db: TestDatabase, sqls: readonly string[]): Promise<string[]> {
  const before = await readCatalog(db.orm);
  for (const sql of sqls) await db.orm.em.execute(sql);
  return differences(before, await readCatalog(db.orm)).map(describeDifference);
}

const rows = (db: TestDatabase): Promise<unknown> =>
  db.orm.em.execute('select things.*::text as row from things order by id');

describe('columns that are parked and put back', () => {
  test.each<[string, string[]]>([
    ['one with a comment, a check, an index and a view', ['note']],
    ['one with a default and a unique constraint', ['name']],
    ['a foreign key', ['owner']],
    ['a foreign key to its table', ['part_of']],
    ['several with a constraint of both', ['name', 'size']],
    ['all but the key', ['name', 'note', 'size', 'owner', 'part_of']],
    ['the primary key', ['id']],
  ])('are as they were: %s', async (_name, columns) => {
    const db = await emptyDatabase();
    await db.orm.em.execute(made);
    const before = await rows(db);
    if (columns.includes('id'))
      await db.orm.em.execute('alter table things drop constraint things_part_of_fkey');

    expect(await differencesAfter(db, [park('things', columns), unpark('things', columns)])).toEqual([]);
    expect(await rows(db)).toEqual(before);
  });

  test('are in partitions as in their table', async () => {
    const db = await emptyDatabase();
    await db.orm.em.execute(`
      create table visits (id int, note text not null, primary key (id)) partition by range (id);
      create table visits_1 partition of visits for values from (0) to (10); create index on visits (note);
      insert into visits values (1, 'kept'); comment on column visits_1.note is 'of the first'`);

    expect(await differencesAfter(db, [park('visits', ['note']), unpark('visits', ['note'])])).toEqual([]);
    expect(await db.orm.em.execute('select note from visits_1')).toEqual([{ note: 'kept' }]);
  });
});

test.each<[string, string, string]>([
  ['a column', park('things', ['note']), 'alter table things drop column note cascade'],
  ['a column of a partitioned table', park('visits', ['note']), 'alter table visits drop column note'],
  ['a table', park('lonely'), 'drop table lonely'],
])('%s that is parked is not there for comparisons of schemas', async (_name, parking, dropping) => {
  const [parked, dropped] = [await emptyDatabase(), await emptyDatabase()];
  for (const [db, sql] of [
    [parked, parking],
    [dropped, dropping],
  ] as const) {
    await db.orm.em
      .execute(`${made}; drop view shown; create table lonely (id int primary key, owner int references owners);
      create table visits (id int, note text not null, primary key (id)) partition by range (id);
      create table visits_1 partition of visits for values from (0) to (10)`);
    await db.orm.em.execute(sql);
  }

  const found = differences(await readCatalog(dropped.orm), await readCatalog(parked.orm));
  expect(found.map(describeDifference)).toEqual([]);
});

/** A migration that makes the table, and one that parks columns of it. */
const chain = (down: string, columns = ['note']) => ({
  A: { up: [made] },
  B: { up: [park('things', columns)], down: [down] },
});

describe('a migration that parks', () => {
  test('keeps 100,000 values, with 10,000 rows written meanwhile', async () => {
    const db = await emptyDatabase();
    const back = unpark('things', ['note', 'name'], { missing: { note: "'none'" } });
    const migrator = migratorOn(db, chain(back, ['note', 'name']));
    await migrator.up({ to: 'A' });
    await db.orm.em.execute(
      `insert into things (id, name, note, size) select n, 'n' || n, md5(n::text), n from generate_series(100, 100099) n`,
    );
    const digest = (): Promise<unknown> =>
      db.orm.em.execute(
        `select md5(string_agg(things::text, ' ' order by id)) as digest from things where id < 200000`,
      );
    const before = await digest();
    await migrator.up();
    await db.orm.em.execute(
      'insert into things (id, size) select n, n from generate_series(200000, 209999) n',
    );

    await migrator.down();

    expect(await digest()).toEqual(before);
    expect(
      await db.orm.em.execute(
        'select name, note, count(*)::int from things where id >= 200000 group by 1, 2',
      ),
    ).toEqual([{ name: 'unnamed', note: 'none', count: 10_000 }]);
  });

  test('can not be reverted over rows without a required value, and says what to do', async () => {
    const db = await emptyDatabase();
    const migrator = migratorOn(db, chain(unpark('things', ['note'])));
    await migrator.up();
    await db.orm.em.execute('insert into things (id, size) values (100, 1), (101, 2)');

    await expect(migrator.down()).rejects.toThrow(
      '2 rows of table public.things were written while its column note was parked, and have no value of it: ' +
        'give one by the option missing of unpark',
    );
    expect((await migrator.parked()).map(({ table, column }) => [table, column])).toEqual([
      ['things', 'note'],
    ]);
  });

  test('is certified as lossless', async () => {
    const db = await emptyDatabase();
    const back = unpark('things', ['note'], { missing: { note: "''" } });
    const migrator = migratorOn(db, chain(back));

    const [certificate] = await migrator.verify({ migrations: ['B'] });

    expect(certificate).toMatchObject({ certificate: 'lossless' });
  });

  test('loses nothing when it is reverted', async () => {
    const db = await emptyDatabase();
    const migrator = migratorOn(db, chain(unpark('things', ['note'])));
    await migrator.up();

    expect(await migrator.lossesOfDown()).toEqual({ tables: [], unknown: null });
  });

  test.each<[string, string, string]>([
    ['an unknown column', park('things', ['nothing']), 'table public.things has no column nothing to park'],
    [
      'an identity column',
      park('counted', ['id']),
      'column id of table public.counted is an identity or generated column, which can not be parked',
    ],
    [
      'a generated column',
      park('counted', ['twice']),
      'column twice of table public.counted is an identity or generated column, which can not be parked',
    ],
    [
      'a table that another one refers to',
      park('owners'),
      'table public.owners can not be parked: constraint things_owner_fkey of table public.things refers to it',
    ],
    ['a view', park('shown'), 'public.shown is not a table to park'],
    [
      'a column that was never parked',
      unpark('things', ['note']),
      'column note of table public.things is not parked together with these columns: it was purged, or never parked',
    ],
    [
      'a table that was never parked',
      unpark('things'),
      'table "things" is not parked: it was purged, or never parked',
    ],
  ])('is refused: %s', async (_name, sql, message) => {
    const db = await emptyDatabase();
    const counted =
      'create table counted (id int generated always as identity, n int, twice int generated always as (n * 2) stored)';
    const failed = migratorOn(db, { A: { up: [made] }, B: { up: [counted] }, C: { up: [sql] } }).up();

    await expect(failed).rejects.toThrow(`C failed in up() at statement 1: ${message}`);
    await expect(failed).rejects.toBeInstanceOf(MigratorError);
  });

  test.each<[string, () => string]>([
    ['an empty table', () => park(' ')],
    ['an empty column', () => park('things', [''])],
    ['a column twice', () => unpark('things', ['note', 'note'])],
    ['a value for another column', () => unpark('things', ['note'], { missing: { name: "''" } })],
    ['an empty value', () => unpark('things', ['note'], { missing: { note: ' ' } })],
    ['a name that would end its text', () => park('things', ['$parking$'])],
  ])('is refused when it is written with %s', (_name, write) => {
    expect(write).toThrow(MigrationRefusedError);
  });
});

describe('a table', () => {
  test.each<[string, string]>([
    ['of the search path', 'things'],
    ['of another schema', 'shop.Odd "name"'],
  ])('%s is as it was after it was parked and put back', async (_name, table) => {
    const db = await emptyDatabase();
    await db.orm.em.execute(
      `${made}; create schema shop; create table shop."Odd ""name""" (id int primary key, owner int references owners)`,
    );
    const before = await rows(db);

    expect(await differencesAfter(db, [park(table), unpark(table)])).toEqual([]);
    expect(await rows(db)).toEqual(before);
  });

  test('leaves its name and those of its indexes to another one', async () => {
    const db = await emptyDatabase();
    const create = 'create table lonely (id int primary key, a int unique)';
    for (const sql of [create, park('lonely'), create, 'drop table lonely', unpark('lonely')])
      await db.orm.em.execute(sql);

    expect(await db.orm.em.execute('select * from lonely')).toEqual([]);
  });
});

describe('purge', () => {
  test('drops what was parked for longer, and records it', async () => {
    const db = await emptyDatabase();
    const migrator = migratorOn(db, {
      ...chain(unpark('things', ['note'])),
      C: {
        up: ['create table lonely (id int)', 'drop view shown', park('lonely')],
        down: [unpark('lonely')],
      },
    });
    await migrator.up();

    expect(await migrator.purge({ olderThan: '1 day' })).toEqual([]);
    const purged = await migrator.purge({ olderThan: '-1 second' });

    expect(purged.map(({ table, column }) => [table, column])).toEqual([
      ['things', 'note'],
      ['lonely', null],
    ]);
    expect(await migrator.parked()).toEqual([]);
    expect((await migrator.history()).slice(0, 2).map(({ name, action }) => [name, action])).toEqual([
      ['lonely', 'purge'],
      ['things.note', 'purge'],
    ]);
    expect((await migrator.drift()).differences).toEqual([]);
    await expect(migrator.down()).rejects.toThrow(
      'table "lonely" is not parked: it was purged, or never parked',
    );
  });

  test('names what PostgreSQL refuses to drop, and why', async () => {
    const db = await emptyDatabase();
    const migrator = migratorOn(db, chain(unpark('things', ['note'])));
    await migrator.up();

    await expect(migrator.purge({ olderThan: '-1 second' })).rejects.toThrow(
      'things.note was not purged: cannot drop column parked_note of table things because other objects depend on it (2BP01)',
    );
  });

  test('refuses what is not an interval', async () => {
    const db = await emptyDatabase();

    await expect(migratorOn(db, {}).purge({ olderThan: 'soon' })).rejects.toThrow(
      '"soon" is not an interval that PostgreSQL reads: such as "30 days" or "6 months"',
    );
  });
});
