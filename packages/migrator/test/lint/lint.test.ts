import { Migration } from '@mikro-orm/migrations';
import { describe, expect, test } from 'vitest';
import { Migrator, MigrationRefusedError, type LintRequest } from 'mikro-orm-safe-migrations';
import { readCatalog } from '../../src/catalog/catalog.ts';
import { emptyDatabase, migratorOn, ormOn } from '../kit/database.ts';
import type { Migrations } from '../project.ts';

const base: Migrations = {
  M1_tables: {
    up: [
      'create table customers (id int primary key, name text)',
      'create table orders (id int primary key, number int, note text, customer int)',
      'create index orders_note on orders (note)',
      `create type state as enum ('a')`,
    ],
    down: ['drop table orders', 'drop table customers', 'drop type state'],
    loses: ['orders: every row', 'customers: every row'],
  },
};

async function lint(migrations: Migrations, request: LintRequest = {}) {
  const db = await emptyDatabase();
  return migratorOn(db, { ...base, ...migrations }).lint(request);
}

async function rulesIn(migrations: Migrations): Promise<string[]> {
  const { findings, notLinted } = await lint(migrations);
  expect(notLinted).toEqual([]);
  return findings.map(
    ({ direction, statement, rule, object }) => `${direction} ${statement}: ${rule}: ${object}`,
  );
}

test('a finding names the statement, what it locks, and a safe form with the real names', async () => {
  const { findings, migrations } = await lint({
    M2: { up: ['select 1', 'alter table "orders" add constraint "Positive" check (number > 0)'] },
  });

  expect(migrations).toEqual(['M1_tables', 'M2']);
  expect(findings).toEqual([
    {
      migration: 'M2',
      direction: 'up',
      statement: 2,
      sql: 'alter table "orders" add constraint "Positive" check (number > 0)',
      rule: 'add-check',
      object: 'constraint "Positive" of orders',
      table: 'orders',
      lock: 'AccessExclusiveLock',
      blocks: 'reads and writes',
      held: 'while the table is scanned',
      safe:
        '-- migration 1\nalter table orders add constraint "Positive" CHECK ((number > 0)) not valid;\n' +
        '-- migration 2\nalter table orders validate constraint "Positive";',
      page: 'docs/lint/add-check.md',
    },
  ]);
});

describe('which migrations', () => {
  const chain: Migrations = {
    ...base,
    M2: { up: ['create index a on orders (number)'], down: [] },
    M3: { up: ['create index b on orders (number)'], down: [] },
  };
  const applied = async () => {
    const db = await emptyDatabase();
    await migratorOn(db, chain).up({ to: 'M2' });
    return db;
  };

  test.each([
    [undefined, ['M3']],
    ['pending', ['M3']],
    ['all', ['M2', 'M3']],
    [['M2'], ['M2']],
  ] as const)('%o', async (migrations, expected) => {
    const { findings } = await migratorOn(await applied(), chain).lint({ migrations });

    expect(findings.map(({ migration }) => migration)).toEqual(expected);
  });

  test('refuses an unknown name', async () => {
    await expect(migratorOn(await applied(), chain).lint({ migrations: ['M9'] })).rejects.toBeInstanceOf(
      MigrationRefusedError,
    );
  });

  test('without a pending one it creates no scratch database', async () => {
    const db = await emptyDatabase();
    await migratorOn(db, chain).up();

    expect(await migratorOn(db, chain, { scratchUrl: 'postgresql://localhost:1/none' }).lint()).toEqual({
      migrations: [],
      findings: [],
      silenced: [],
      notLinted: [],
      leftOut: [],
    });
  });

  test('changes nothing in the database', async () => {
    const db = await applied();
    const read = async () => ({
      catalog: await readCatalog(db.orm),
      history: await db.orm.em.execute('select * from migrator.history order by id'),
    });
    const before = await read();

    await migratorOn(db, chain).lint({ migrations: 'all' });

    expect(await read()).toEqual(before);
  });
});

describe('what the migration itself creates is exempt', () => {
  test('in both directions', async () => {
    expect(
      await rulesIn({
        M2: {
          up: [
            'create table items (id int, n int)',
            'create index items_n on items (n)',
            'alter table items add constraint c check (n > 0), alter column n set not null',
            'alter table items rename column n to m',
            'update items set m = 1',
          ],
          down: ['drop index items_n', 'drop table items'],
          loses: ['items: every row'],
        },
      }),
    ).toEqual([]);
  });

  test('a foreign key of a new table to an existing one', async () => {
    expect(
      await rulesIn({
        M2: {
          up: [
            'create table items (id int, customer int)',
            'create index on items (customer)',
            'alter table items add foreign key (customer) references customers (id)',
          ],
        },
      }),
    ).toEqual([]);
  });

  test('but not in the next migration', async () => {
    expect(
      await rulesIn({
        M2: { up: ['create table items (id int, n int)'] },
        M3: { up: ['create index items_n on items (n)'] },
      }),
    ).toEqual(['up 1: create-index: index items_n']);
  });
});

describe('finds by what the server does', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    [
      'in a block',
      [`do $$ begin execute 'create index i on orders (number)'; end $$`],
      ['up 1: create-index: index i'],
    ],
    [
      'in a function',
      [
        `create function f() returns void language plpgsql as 'begin alter table orders alter column number set not null; end'`,
        'select f()',
      ],
      ['up 2: set-not-null: column orders.number'],
    ],
    [
      'in each statement of one text',
      ['alter table orders add column a int; create index i on orders (number)'],
      ['up 1: create-index: index i', 'up 1: work-after-exclusive-lock: table orders'],
    ],
    [
      'between savepoints of the migration',
      ['savepoint a', 'create index i on orders (number)', 'rollback to savepoint a', 'release savepoint a'],
      ['up 2: create-index: index i'],
    ],
    [
      'in several actions of one statement',
      ['alter table orders add column c uuid default gen_random_uuid(), alter column note type varchar(9)'],
      ['up 1: volatile-default: column orders.c', 'up 1: change-type: column orders.note'],
    ],
    [
      'a constraint that is replaced by another',
      [
        'alter table orders add constraint c check (number > 0) not valid',
        'alter table orders drop constraint c, add constraint c check (number > 1)',
      ],
      ['up 2: add-check: constraint c of orders', 'up 2: work-after-exclusive-lock: table orders'],
    ],
    [
      'a foreign key that a new column brings',
      [
        'alter table orders add column c int default 1 references customers',
        'create index orders_c on orders (c)',
      ],
      [
        'up 1: add-foreign-key: constraint orders_c_fkey of orders',
        'up 2: create-index: index orders_c',
        'up 2: work-after-exclusive-lock: table orders',
      ],
    ],
    ['a form that no rule names', ['alter table orders set unlogged'], ['up 1: blocking-work: table orders']],
    [
      'a key without an index on a new table',
      ['create table items (id int primary key, order_id int references orders)'],
      ['up 1: foreign-key-without-index: constraint items_order_id_fkey of items'],
    ],
    [
      'a delete by a condition that no index serves',
      ['delete from orders where number = 1'],
      ['up 1: whole-table-write: table orders'],
    ],
    [
      'a delete in a `with` clause',
      [
        'create table gone (id int)',
        'with g as (delete from orders returning id) insert into gone select id from g',
      ],
      ['up 2: whole-table-write: table orders'],
    ],
    ['but not one by its key', ['delete from orders where id = 1'], []],
    [
      'what goes along with a cascade',
      [
        'create view names as select name from customers',
        'create function n() returns setof names language sql as $$ select * from names $$',
        'drop view names cascade',
      ],
      ['up 3: drop-cascade: function n()'],
    ],
    [
      'what a truncate empties by its cascade',
      [
        'create table lines (order_id int)',
        'alter table orders add constraint c foreign key (customer) references customers not valid',
        'create index orders_customer on orders (customer)',
        'truncate customers cascade',
      ],
      [
        'up 3: create-index: index orders_customer',
        'up 4: truncate: table customers',
        'up 4: truncate: table orders',
      ],
    ],
    [
      'a view that is created again without its privileges',
      [
        'create view names as select name from customers; grant select on names to public',
        'drop view names',
        'create view names as select name, id from customers',
      ],
      ['up 2: drop-cascade: privileges of names'],
    ],
    [
      'of two tables with one name that which the search path finds',
      [
        'create schema shop',
        'create table shop.orders (id int primary key)',
        'set local search_path to shop, public',
        'update orders set id = 1',
        'update public.orders set id = 1',
      ],
      ['up 5: whole-table-write: table orders'],
    ],
    [
      'a type change that rewrites nothing, and its index neither',
      [
        'alter table customers alter column name type varchar',
        'alter table orders alter column note type varchar',
      ],
      [],
    ],
  ])('%s', async (_, up, expected) => {
    expect(await rulesIn({ M2: { up, down: [] } })).toEqual(expected);
  });

  test('what the code of a migration sends itself', async () => {
    class Querying extends Migration {
      async up(): Promise<void> {
        const [row] = await this.execute('select count(*) as tables from pg_tables');
        await this.execute('create index i on orders (number)');
        await this.execute(`comment on table orders is '${row ? 'read' : ''}'`);
        this.addSql('alter table orders alter column number type bigint');
      }
      override down(): void {}
    }
    const db = await emptyDatabase();
    const orm = ormOn(db, base);
    const list = orm.config.get('migrations').migrationsList ?? [];
    orm.config.get('migrations').migrationsList = [...list, { name: 'M2', class: Querying }];

    const { findings, notLinted } = await new Migrator(orm).lint();

    expect(notLinted).toEqual([]);
    expect(findings.map(({ statement, rule }) => ({ statement, rule }))).toEqual([
      { statement: null, rule: 'create-index' },
      { statement: 1, rule: 'change-type' },
    ]);
  });

  test('statements outside transactions, and goes on after a down that drops what up built', async () => {
    const { findings, notLinted, migrations } = await lint({
      M2: {
        up: ['create index concurrently i on orders (number)', 'create index j on orders (number, id)'],
        down: ['drop index j', 'drop index concurrently i'],
        transactional: false,
      },
      M3: { up: ['drop index i'] },
    });

    expect({ notLinted, migrations }).toEqual({ notLinted: [], migrations: ['M1_tables', 'M2', 'M3'] });
    expect(findings.map(({ migration, direction, object }) => `${migration} ${direction} ${object}`)).toEqual(
      ['M2 up index j', 'M2 down index j', 'M3 up index i'],
    );
  });
});

describe('a refused statement', () => {
  test('that a rule explains does not end the lint of the migration', async () => {
    expect(
      await rulesIn({
        M2: {
          up: [
            'create index concurrently i on orders (number)',
            'alter table orders alter column number type bigserial',
            `alter type state add value 'b'`,
            `create table states (s state default 'b')`,
            'drop index i',
          ],
          down: [],
        },
      }),
    ).toEqual([
      'up 1: concurrently-in-transaction: the transaction',
      'up 2: serial-type: column orders.number',
      'up 4: enum-value-used: the new value',
      'up 5: drop-index: index i',
    ]);
  });

  test('that no rule explains is not linted, nor is what follows', async () => {
    const { findings, notLinted, migrations } = await lint({
      M2: { up: ['create index i on orders (number)', 'alter table none add column a int'] },
      M3: { up: ['create index j on orders (number)'] },
    });

    expect(migrations).toEqual(['M1_tables']);
    expect(findings.map(({ object }) => object)).toEqual(['index i']);
    expect(notLinted).toEqual([
      { migration: 'M2', direction: 'up', reason: 'relation "none" does not exist' },
      { migration: 'M3', direction: 'up', reason: 'M2 before it failed' },
    ]);
  });

  test('of a down leaves the next migration linted', async () => {
    const { notLinted, migrations } = await lint({
      M2: { up: ['alter table orders add column a int'], down: ['alter table none drop column a'] },
      M3: { up: ['alter table orders add column b int'], down: null },
    });

    expect(migrations).toEqual(['M1_tables', 'M2', 'M3']);
    // M3 has no down.
    expect(notLinted).toEqual([
      { migration: 'M2', direction: 'down', reason: 'relation "none" does not exist' },
    ]);
  });
});

describe('silencing', () => {
  const up = ['create index i on orders (number)'];

  test('needs a reason, and is reported with it', async () => {
    const { findings, silenced } = await lint({
      M2: { up, down: [], lint: { 'create-index': 'twenty rows' } },
    });

    expect(findings).toEqual([]);
    expect(silenced).toMatchObject([{ migration: 'M2', rule: 'create-index', reason: 'twenty rows' }]);
  });

  test('without a reason is not linted', async () => {
    const { notLinted } = await lint({ M2: { up, lint: { 'create-index': ' ' } } });

    expect(notLinted).toMatchObject([{ migration: 'M2', direction: 'up' }]);
    expect(notLinted[0]?.reason).toContain('has no reason for create-index');
  });

  test.each([
    ['creat-index', "there is no rule 'creat-index'"],
    ['drop-index', "'drop-index' silences nothing"],
  ])('%s is reported itself', async (rule, object) => {
    const { findings } = await lint({ M2: { up: ['select 1'], down: [], lint: { [rule]: 'why' } } });

    expect(findings).toMatchObject([{ migration: 'M2', rule: 'silence', object }]);
  });

  test('an applied migration is not edited by it', async () => {
    const db = await emptyDatabase();
    const chain = { ...base, M2: { up, down: [] } };
    await migratorOn(db, chain).up();
    const silencing = migratorOn(db, {
      ...base,
      M2: { ...chain.M2, lint: { 'create-index': 'twenty rows' } },
    });

    expect(await silencing.up()).toEqual([]);

    expect((await silencing.status()).map(({ condition }) => condition)).toEqual(['applied', 'applied']);
  });
});

test('an index of a partitioned table, but not one that is attached part by part', async () => {
  const days: Migrations = {
    M2: {
      up: [
        'create table days (id int) partition by range (id)',
        'create table days_1 partition of days for values from (1) to (2)',
      ],
    },
  };

  expect(await rulesIn({ ...days, M3: { up: ['create index i on days (id)'] } })).toEqual([
    'up 1: create-index: index i',
  ]);
  expect(
    await rulesIn({
      ...days,
      M3: {
        up: [
          'create index i on only days (id)',
          'create index concurrently i_1 on days_1 (id)',
          'alter index i attach partition i_1',
        ],
        down: null,
        transactional: false,
      },
    }),
  ).toEqual([]);
});

test('a thousand rows that are inserted one by one hide no later finding', async () => {
  const rows = Array.from({ length: 1_000 }, (_, id) => `insert into customers values (${id}, 'c')`);

  expect(await rulesIn({ M2: { up: [...rows, 'create index i on customers (name)'], down: [] } })).toEqual([
    'up 1001: create-index: index i',
  ]);
});

test('what is lost going back is declared by table or by column', async () => {
  const add = 'alter table orders add column a int, add column "B" int';
  const drop = 'alter table orders drop column a, drop column "B"';

  expect(
    await rulesIn({
      M2: { up: [add], down: [drop] },
      M3: {
        up: [add.replaceAll('a int', 'c int').replace('"B"', 'd')],
        down: ['alter table orders drop column c, drop column d'],
        loses: ['orders: all'],
      },
    }),
  ).toEqual(['down 1: undeclared-loss: column orders.a', 'down 1: undeclared-loss: column orders."B"']);
});

test('tables that are ignored are left out', async () => {
  const db = await emptyDatabase();
  const chain = {
    ...base,
    M2: { up: ['create index i on orders (number)', 'create index j on customers (name)'], down: [] },
  };

  const { findings } = await migratorOn(db, chain, { ignore: ['orders'] }).lint();

  expect(findings.map(({ object }) => object)).toEqual(['index j']);
});

test('statements for the whole server are listed, not sent', async () => {
  const { leftOut, notLinted } = await lint({
    M2: { up: ['create role lint_test_role', 'alter table orders add column a int'], down: [] },
  });

  expect(notLinted).toEqual([]);
  expect(leftOut).toMatchObject([{ migration: 'M2', statement: 'create role lint_test_role' }]);
});

test('a lock timeout that is set in the migration is the one that counts', async () => {
  const trigger =
    'create trigger c before update on orders for each row execute function suppress_redundant_updates_trigger()';

  expect(await rulesIn({ M2: { up: [`set local lock_timeout = 0`, trigger], down: [] } })).toEqual([
    'up 2: lock-timeout: table orders',
  ]);
  expect(await rulesIn({ M2: { up: [trigger], down: [], lockTimeout: 60_000 } })).toEqual([
    'up 1: lock-timeout: table orders',
  ]);
});
