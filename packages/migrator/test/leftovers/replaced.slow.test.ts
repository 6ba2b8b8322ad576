import { describe, expect, test } from 'vitest';
import { readCatalog } from '../../src/catalog/catalog.ts';
import { Migrator } from 'mikro-orm-safe-migrations';
import { emptyDatabase, ormOn, type TestDatabase } from '../kit/database.ts';
import type { Migrations } from '../project.ts';

const name = 'Migration20260101000000_first';

/** What holds no rows and stays behind when tables are dropped, with what depends on it. */
const stateless = [
  `create schema shop`,
  `create type size as enum ('small', 'large')`,
  `create type shop.place as (aisle int, shelf size)`,
  `create domain quantity as int check (value > 0)`,
  `create type span as range (subtype = int)`,
  `create collation plain (locale = 'C')`,
  `create function touch() returns trigger language plpgsql as $$ begin return new; end $$`,
  `create function shop."Odd Name"(a int, variadic b text[] default '{}') returns int language sql as 'select 1'`,
  `create procedure tidy(size) language sql as 'select 1'`,
  `create aggregate biggest(int) (sfunc = int4larger, stype = int)`,
  `create aggregate how_many(*) (sfunc = int8inc, stype = int8, initcond = '0')`,
  `create view cheap as select shop."Odd Name"(1) as price, 'small'::size as size`,
  `create view cheaper as select * from cheap`,
  `comment on function touch() is 'when a row changes'`,
  `grant execute on function touch() to public`,
];
const table = [
  `create table product (id int primary key, size size, amount quantity)`,
  `create trigger touched before update on product for each row execute function touch()`,
];

/** A database that went through the migrations, then lost the table and the log. */
async function dropped(migrations: Migrations, tables = 'product'): Promise<TestDatabase> {
  const db = await emptyDatabase();
  await new Migrator(ormOn(db, migrations)).up();
  await db.orm.em.execute(`drop table ${tables} cascade; drop table mikro_orm_migrations`);
  return db;
}

describe('a leftover without rows', () => {
  test('is created again, of every kind, and the result equals a new database', async () => {
    const migrations = { [name]: { up: [...stateless, ...table] } };
    const straight = await emptyDatabase();
    await new Migrator(ormOn(straight, migrations)).up();
    const db = await dropped(migrations);
    const migrator = new Migrator(ormOn(db, migrations));

    const { database } = await migrator.check();
    expect(await migrator.up()).toMatchObject([{ name }]);

    // Thirteen that were written, and five functions that PostgreSQL made for the range.
    expect(database).toHaveLength(18);
    expect(new Set(database?.map(({ remedy }) => remedy))).toEqual(new Set(['`up`, which creates it again']));
    expect(await readCatalog(db.orm)).toEqual(await readCatalog(straight.orm));
  });

  test.each([
    [
      `a changed function`,
      `create or replace function touch() returns trigger language plpgsql as $$ begin return null; end $$`,
      `drop function public.touch();`,
    ],
    [`a changed comment`, `comment on function touch() is 'never'`, `drop function public.touch();`],
    [
      `a changed privilege`,
      `revoke execute on function touch() from public`,
      `drop function public.touch();`,
    ],
    [`an additional enum value`, `alter type size add value 'huge'`, `drop type public.size;`],
    [
      `a changed view`,
      `create or replace view cheaper as select *, 1 as more from cheap`,
      `drop view public.cheaper;`,
    ],
    [
      `a domain without its check`,
      `alter domain quantity drop constraint quantity_check`,
      `drop type public.quantity;`,
    ],
  ])('is not replaced when its definition differs: %s', async (_, change, remedy) => {
    const migrations = { [name]: { up: [...stateless, ...table] } };
    const db = await dropped(migrations);
    await db.orm.em.execute(change);
    const before = await readCatalog(db.orm);
    const migrator = new Migrator(ormOn(db, migrations));

    await expect(migrator.up()).rejects.toThrow(
      new RegExp(`retry:\n${remedy.replaceAll(/[().]/g, '\\$&')}$`),
    );
    const { database } = await migrator.check();

    expect(await readCatalog(db.orm)).toEqual(before);
    expect(database?.map((one) => one.remedy)).toContain(`${remedy} before \`up\``);
  });

  test('is created again when it equals the result of a later migration', async () => {
    const later = 'Migration20260102000000_later';
    const migrations = {
      [name]: { up: [...stateless, ...table] },
      [later]: {
        up: [
          `create or replace function touch() returns trigger language plpgsql as $$ begin return null; end $$`,
          `alter type size add value 'huge'`,
        ],
      },
    };
    const db = await dropped(migrations);
    const migrator = new Migrator(ormOn(db, migrations));

    expect(await migrator.up()).toMatchObject([{ name }, { name: later }]);

    expect((await migrator.check()).database).toEqual([]);
  });

  test('is not replaced when another object depends on it', async () => {
    const migrations = { [name]: { up: [...stateless, ...table] } };
    const db = await dropped(migrations);
    await db.orm.em.execute(`create view mine as select * from cheaper`);
    const before = await readCatalog(db.orm);

    await expect(new Migrator(ormOn(db, migrations)).up()).rejects.toThrow(
      /cannot drop view cheaper because other objects depend on it \(2BP01\)\. It was rolled back/,
    );

    expect(await readCatalog(db.orm)).toEqual(before);
  });

  test('is ignored when the migration does not create it', async () => {
    const migrations = { [name]: { up: [...stateless, ...table] } };
    const db = await dropped(migrations);
    await db.orm.em.execute(`create function mine() returns int language sql as 'select 1'`);

    const { database } = await new Migrator(ormOn(db, migrations)).check();
    await new Migrator(ormOn(db, migrations)).up();

    expect(database?.find(({ object }) => object === 'function mine()')?.remedy).toBe(
      'drop function public.mine(); or write a migration that creates it',
    );
    expect((await readCatalog(db.orm)).has('function mine()')).toBe(true);
  });
});

const known = 'Migration20260102000000_second';

/** What a migration can't do, and what has to be dropped first: made by hand, or by another tool. */
const lasting: [what: string, before: string, up: string, remedy: string][] = [
  ['a table', 'create table kept (id int)', 'create table kept (id int)', 'drop table public.kept;'],
  ['a sequence', 'create sequence numbers', 'create sequence numbers', 'drop sequence public.numbers;'],
  [
    'a materialized view',
    'create materialized view totals as select 1 as n',
    'create materialized view totals as select 1 as n',
    'drop materialized view public.totals;',
  ],
  ['an extension', 'create extension citext', 'create extension citext', 'drop extension citext;'],
  [
    'an event trigger',
    'create event trigger looks on sql_drop execute function e()',
    'create event trigger looks on sql_drop execute function e()',
    'drop event trigger looks;',
  ],
  [
    'a column',
    'alter table first add note text',
    'alter table first add note text',
    '-- table first: drop column note',
  ],
  [
    'an index',
    'create index by_n on first (n)',
    'create index by_n on first (n)',
    '-- table first: drop index by_n',
  ],
  [
    'a constraint',
    'alter table first add constraint small check (n < 9)',
    'alter table first add constraint small check (n < 9)',
    '-- table first: drop constraint small',
  ],
  [
    'a trigger',
    'create trigger same before update on first for each row execute function suppress_redundant_updates_trigger()',
    'create trigger same before update on first for each row execute function suppress_redundant_updates_trigger()',
    '-- table first: drop trigger same',
  ],
  [
    'a policy',
    'create policy mine on first using (true)',
    'create policy mine on first using (true)',
    '-- table first: drop policy mine',
  ],
  [
    'statistics',
    'create statistics both_of on id, n from first',
    'create statistics both_of on id, n from first',
    '-- table first: drop statistics both_of',
  ],
];

describe('an existing object that may hold data', () => {
  test.each(lasting)('%s is reported with its remedy, and not changed', async (_, before, up, remedy) => {
    const db = await emptyDatabase();
    const first = {
      [name]: {
        up: [
          'create table first (id int primary key, n int)',
          'create function e() returns event_trigger language plpgsql as $$ begin end $$',
        ],
      },
    };
    await new Migrator(ormOn(db, first)).up();
    await db.orm.em.execute(`insert into first values (1, 1); ${before}`);
    const found = await readCatalog(db.orm);
    // A statement more, so that the database is not where the migration leads.
    const migrations = { ...first, [known]: { up: [up, 'create table after (id int)'] } };

    const failure = new Migrator(ormOn(db, migrations)).up();

    await expect(failure).rejects.toThrow(`retry:\n${remedy}`);
    expect(await readCatalog(db.orm)).toEqual(found);
    expect(await db.orm.em.execute('select id, n from first')).toEqual([{ id: 1, n: 1 }]);
  });

  test('is dropped by its remedy', async () => {
    const db = await emptyDatabase();
    await db.orm.em.execute(
      `create table kept (id int); create table kept_too (id int references kept)`.replace(
        'kept (id int)',
        'kept (id int primary key)',
      ),
    );
    const migrator = new Migrator(
      ormOn(db, { [name]: { up: ['create table kept (id int)', 'create table kept_too (id int)'] } }),
    );
    const error: unknown = await migrator.up().catch((thrown: unknown) => thrown);

    const [, ...statements] = String(error).split('\n');
    await db.orm.em.execute(statements.join('\n'));

    expect(statements).toEqual(['drop table public.kept_too;', 'drop table public.kept;']);
    expect(await migrator.up()).toMatchObject([{ name }]);
  });

  test('is no conflict if the migration accepts it', async () => {
    const db = await emptyDatabase();
    await db.orm.em.execute(`
      create extension citext; create table kept (id int); create function touch() returns int language sql as 'select 1';
      create or replace function twice() returns int language sql as 'select 2'`);
    const migrations = {
      [name]: {
        up: [
          `create extension if not exists citext`,
          `create table if not exists kept (id int)`,
          `create or replace function twice() returns int language sql as 'select 3'`,
          `create function touch() returns int language sql as 'select 1'`,
        ],
      },
    };

    expect(await new Migrator(ormOn(db, migrations)).up()).toMatchObject([{ name }]);
  });

  test('is reported, not replaced, for a migration that runs statement by statement', async () => {
    const db = await emptyDatabase();
    await db.orm.em.execute(`create function touch() returns int language sql as 'select 1'`);
    const migrations = {
      [name]: {
        transactional: false,
        up: [
          `create table made (id int)`,
          `create index concurrently made_by_id on made (id)`,
          `create function touch() returns int language sql as 'select 1'`,
        ],
      },
    };
    const migrator = new Migrator(ormOn(db, migrations));

    await expect(migrator.up()).rejects.toThrow(/retry:\ndrop function public\.touch\(\);$/);

    await db.orm.em.execute(`drop function public.touch()`);
    expect(await migrator.up()).toMatchObject([{ name }]);
  });

  test('is not determined for a role that may not create databases, and the message says so', async () => {
    const db = await emptyDatabase();
    const role = `${db.target.parts.database}_role`;
    await db.orm.em.execute(
      `create role "${role}" login password 'role'; grant all on schema public to "${role}"; grant all on database "${db.target.parts.database}" to "${role}";
       create function touch() returns int language sql as 'select 1'`,
    );
    const url = new URL(db.url);
    [url.username, url.password] = [role, 'role'];
    const orm = ormOn(
      { url: url.href },
      { [name]: { up: [`create function touch() returns int language sql as 'select 1'`] } },
    );
    try {
      await expect(new Migrator(orm).up()).rejects.toThrow(
        /\(42723\).*The conflicting objects can't be determined: .*createdb/s,
      );
    } finally {
      await orm.close(true);
      await db.orm.em.execute(`drop owned by "${role}"; drop role "${role}"`);
    }
  });
});
