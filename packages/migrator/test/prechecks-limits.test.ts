import { Migration } from '@mikro-orm/migrations';
import type { MigrationObject } from '@mikro-orm/postgresql';
import { beforeEach, describe, expect, test } from 'vitest';
import { Migrator, type MigratorOptions, type Precheck } from 'mikro-orm-safe-migrations';
import { emptyDatabase, migratorOn, ormOn, type TestDatabase } from './kit/database.ts';
import { OutsideSession } from './kit/outside-session.ts';
import { createRole } from './kit/roles.ts';
import type { Migrations } from './project.ts';

let db: TestDatabase;

beforeEach(async () => {
  db = await emptyDatabase();
  await db.orm.em.execute(
    `create table item (id int primary key, name text, size int);
     insert into item select i, nullif('n' || i % 10, 'n0'), i from generate_series(1, 100) i`,
  );
});

const notNull = 'alter table item alter name set not null';

async function prechecksOf(migrations: Migrations, options?: MigratorOptions): Promise<readonly Precheck[]> {
  const planned = await migratorOn(db, migrations, options).planUp();
  return planned.flatMap(({ prechecks = [] }) => prechecks);
}

test('a refusal names the migration, the statement, the table, how many rows, and lists them', async () => {
  const up = ['create table other (id int)', `${notNull}; alter table item add check (size > 98)`];

  await expect(migratorOn(db, { M1: { up } }).up()).rejects.toThrow(
    `rows of the database would make a migration fail; nothing was applied. Correct them, in a migration before it or by hand, and retry:
  M1, statement 2: NOT NULL of name on item: 10 rows of 100 NULL
    select * from public.item where name is null;
  M1, statement 2: CHECK on item: 98 rows of 100 against it
    select * from public.item where (size > 98) is false;`,
  );
  expect(await db.orm.em.execute(`select to_regclass('other') as other`)).toEqual([{ other: null }]);
});

test('nothing is applied where a later migration would fail', async () => {
  const migrations = { M1: { up: ['create table other (id int)'] }, M2: { up: [notNull] } };
  const migrator = migratorOn(db, migrations);

  await expect(migrator.up()).rejects.toMatchObject({ code: 'refused' });
  expect(await migrator.status()).toMatchObject([{ condition: 'pending' }, { condition: 'pending' }]);
  expect(await migrator.up({ to: 'M1' })).toMatchObject([{ name: 'M1' }]);
});

test('planUp returns what it counted, planDown and a plan without a database nothing', async () => {
  const migrator = migratorOn(db, { M1: { up: [notNull], down: [notNull] }, M2: { up: [notNull] } });
  const [first, second] = await migrator.planUp();

  expect(first?.prechecks).toEqual([
    {
      migration: 'M1',
      statement: 1,
      kind: 'nulls',
      table: 'item',
      subject: 'NOT NULL of name',
      outcome: 'refused',
      rows: 10,
      of: 100,
      isLowerBound: false,
      query: 'select * from public.item where name is null',
      reason: null,
    },
  ]);
  expect(second?.prechecks).toMatchObject([{ migration: 'M2', outcome: 'refused' }]);
  expect((await migrator.planUp({ from: null }))[0]).not.toHaveProperty('prechecks');
});

function unknown(reason: string): object[] {
  return [{ outcome: 'unknown', rows: null, reason: expect.stringContaining(reason) as unknown }];
}

describe('unknown, and not refused:', () => {
  test.each<[what: string, up: readonly string[], reason: string]>([
    ['volatile code', ['alter table item add check (size > random())'], 'it calls random, which is volatile'],
    [
      'a renamed table',
      ['alter table item rename to thing', 'alter table thing alter name set not null'],
      'statement 1 of M1 renames item',
    ],
    ['updated values', [`update item set name = 'x'`, notNull], 'statement 1 of M1 changes rows of item'],
    ['a block before it', ['do $$ begin end $$', notNull], 'statement 1 of M1 may change anything'],
    [
      'a text that the grammar can not parse',
      ['alter tabel item', notNull],
      `statement 1 of M1 can't be parsed`,
    ],
    [
      'a function that does not exist',
      ['alter table item add check (gone(size))'],
      'gone(integer) does not exist',
    ],
    [
      'a setting that changes names',
      ['set local search_path = pg_catalog', notNull],
      'statement 1 of M1 sets search_path',
    ],
    [
      'rows that may be added',
      [`insert into item values (101, 'x')`, 'create unique index on item (id)'],
      'statement 1 of M1 changes rows of item',
    ],
  ])('%s', async (_, up, reason) => {
    const [found] = await prechecksOf({ M1: { up } });

    expect(found).toMatchObject({
      outcome: 'unknown',
      query: null,
      reason: expect.stringContaining(reason) as unknown,
    });
  });

  test('what comes after a migration whose code queries, which is called once', async () => {
    let calls = 0;
    class Queries extends Migration {
      override async up(): Promise<void> {
        calls += 1;
        const [row] = await this.execute('select count(*)::int as count from item where name is null');
        this.addSql(`update item set name = 'was ${String(row?.['count'])}' where name is null`);
      }
    }
    class Refuses extends Migration {
      override up(): void {
        this.addSql(notNull);
      }
    }
    const list: MigrationObject[] = [
      { name: 'M1', class: Queries },
      { name: 'M2', class: Refuses },
    ];
    const orm = ormOn(db, {});
    orm.config.get('migrations').migrationsList = list;
    const found: Precheck[] = [];
    const onEvent: MigratorOptions['onEvent'] = (event) => {
      if (event.kind === 'prechecked') found.push(...event.prechecks);
    };

    expect(await new Migrator(orm, { onEvent }).up()).toMatchObject([{ name: 'M1' }, { name: 'M2' }]);
    expect(found).toMatchObject(unknown('the statements of M1 depend on the database'));
    expect(calls).toBe(1);
    expect(await db.orm.em.execute(`select count(*)::int as count from item where name = 'was 10'`)).toEqual([
      { count: 10 },
    ]);
  });

  test('rows that a policy hides', async () => {
    const { name, url } = await createRole(db);
    await db.orm.em.execute(
      `grant create on database "${db.target.parts.database}" to "${name}"; grant all on schema public to "${name}";
       alter table item enable row level security; alter table item force row level security; alter table item owner to "${name}"`,
    );
    const [found] = await migratorOn({ url }, { M1: { up: [notNull] } }).planUp();

    expect(found?.prechecks).toMatchObject(unknown(`this role can't read all rows of item`));
  });

  test('what takes longer than the limit', async () => {
    await db.orm.em.execute(
      `create function slow(n int) returns boolean language plpgsql immutable as $$ begin perform pg_sleep(0.02); return true; end $$`,
    );
    const migrations = { M1: { up: ['alter table item add check (slow(size))'] } };

    expect(await prechecksOf(migrations, { precheckTimeout: 100 })).toMatchObject(
      unknown('counting took too long'),
    );
    expect(await prechecksOf(migrations)).toMatchObject([{ outcome: 'passed', rows: 0, of: 100 }]);
  });

  test('a table that another session locks', async () => {
    await using _ = await OutsideSession.holding(db, 'lock table item');

    expect(await prechecksOf({ M1: { up: [notNull] } })).toMatchObject(
      unknown('the table is locked by another session'),
    );
  });

  test('code that writes, which leaves nothing', async () => {
    await db.orm.em.execute(
      `create table trace (id int);
       create function inner_one(n int) returns boolean language plpgsql as $$ begin insert into trace values (n); return true; end $$;
       create function writes(n int) returns boolean language plpgsql immutable as $$ begin return inner_one(n); end $$`,
    );
    const migrations = { M1: { up: ['alter table item add check (writes(size))'] } };

    expect(await prechecksOf(migrations)).toMatchObject(unknown('read-only transaction'));
    expect(await db.orm.em.execute('select * from trace')).toEqual([]);
  });
});

test('a run that is stopped while it counts ends, and applies nothing', async () => {
  await db.orm.em.execute(
    `create function slow(n int) returns boolean language plpgsql immutable as $$ begin perform pg_sleep(60); return true; end $$`,
  );
  const stop = new AbortController();
  const migrator = migratorOn(
    db,
    { M1: { up: ['alter table item add check (slow(size))'] } },
    {
      signal: stop.signal,
      onEvent: ({ kind }) => {
        if (kind === 'prechecking') setTimeout(() => stop.abort(), 500);
      },
    },
  );

  await expect(migrator.up()).rejects.toMatchObject({ code: 'interrupted' });
  expect(await migrator.status()).toMatchObject([{ condition: 'pending' }]);
});

test('an interrupted migration is checked from where it resumes', async () => {
  const up = [
    'alter table item drop constraint item_pkey',
    'create unique index concurrently one on gone (id)',
    notNull,
  ];
  const migrations = { M1: { up, transactional: false } };
  await expect(migratorOn(db, migrations).up()).rejects.toMatchObject({ code: 'refused' });
  await db.orm.em.execute(`update item set name = 'x' where name is null`);
  await expect(migratorOn(db, migrations).up()).rejects.toMatchObject({ code: 'failed' });

  expect(await db.orm.em.execute('select statement from migrator.progress where done')).toEqual([
    { statement: 0 },
  ]);
  expect(await prechecksOf(migrations)).toMatchObject([{ statement: 3, outcome: 'passed', rows: 0 }]);
});

describe('a migration declares', () => {
  const nameless = 'select id from item where name is null; -- without a name';

  test('prechecks, whose rows refuse the run before anything is applied', async () => {
    const migrations = { M1: { up: ['create table other (id int)'] }, M2: { up: [], prechecks: [nameless] } };
    const migrator = migratorOn(db, migrations);

    await expect(migrator.up()).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining(
        'M2: select id from item where name is null; -- without a name: 10 rows',
      ) as unknown,
    });
    expect(await migrator.status()).toMatchObject([{ condition: 'pending' }, { condition: 'pending' }]);
    await db.orm.em.execute(`update item set name = 'x' where name is null`);
    expect(await migrator.up()).toHaveLength(2);
  });

  test.each([true, false])(
    'prechecks that are run when it begins, after what it depends on (%s)',
    async (transactional) => {
      const migrations = {
        M1: { up: [`update item set name = 'x' where id = 10`] },
        M2: { up: ['create table other (id int)'], prechecks: [nameless], transactional },
      };
      const migrator = migratorOn(db, migrations);

      await expect(migrator.up()).rejects.toMatchObject({
        code: 'failed',
        message: expect.stringContaining(
          'a query of its prechecks returns 9 rows: select id from item',
        ) as unknown,
      });
      expect(await migrator.status()).toMatchObject([{ condition: 'applied' }, { condition: 'pending' }]);
      expect(await db.orm.em.execute(`select to_regclass('other') as other`)).toEqual([{ other: null }]);
    },
  );

  test('postchecks, whose rows roll it back', async () => {
    const up = [`update item set name = 'x' where id = 10`];
    const migrator = migratorOn(db, { M1: { up, postchecks: [nameless] } });

    await expect(migrator.up()).rejects.toThrow(
      'M1 failed in up(): a query of its postchecks returns 9 rows: select id from item where name is null; -- without a name. It was rolled back.',
    );
    expect(await db.orm.em.execute('select name from item where id = 10')).toEqual([{ name: null }]);
    expect(
      await migratorOn(db, { M1: { up: [`update item set name = 'x'`], postchecks: [nameless] } }).up(),
    ).toHaveLength(1);
  });

  test('postchecks that keep one outside transactions from being recorded as applied', async () => {
    const migrations = {
      M1: { up: [`update item set name = 'x' where id = 10`], postchecks: [nameless], transactional: false },
    };

    await expect(migratorOn(db, migrations).up()).rejects.toThrow('a query of its postchecks returns 9 rows');
    await db.orm.em.execute(`update item set name = 'y' where name is null`);
    expect(await migratorOn(db, migrations).up()).toHaveLength(1);
    expect(await db.orm.em.execute('select name from item where id = 10')).toEqual([{ name: 'x' }]);
  });

  test.each(['delete from item', 'select 1; select 2', ''])(
    'no check that is not one query: %j',
    async (check) => {
      await expect(migratorOn(db, { M1: { up: [], prechecks: [check] } }).up()).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringContaining('a check is not one SELECT') as unknown,
      });
    },
  );
});
