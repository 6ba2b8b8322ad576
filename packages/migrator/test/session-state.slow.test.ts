import type { MikroORM } from '@mikro-orm/postgresql';
import { CompiledQuery, type DatabaseConnection } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Migrator } from 'mikro-orm-safe-migrations';
import { emptyDatabase, migratorOn, ormOn, type TestDatabase } from './kit/database.ts';
import { PgBouncer, whyNoPooler } from './kit/pgbouncer.ts';
import { findSqlState } from '../src/session/find-sql-state.ts';
import type { Migrations } from './project.ts';

/** What a migration may leave in its session, and a query that shows it. */
const kinds: readonly [string, readonly string[], string, unknown][] = [
  [
    'a temporary table',
    ['create temp table accounts (a int)'],
    `select to_regclass('accounts')::text as "left"`,
    null,
  ],
  [
    'a temporary table by select',
    ['select 1 as a into temp accounts'],
    `select to_regclass('accounts')::text as "left"`,
    null,
  ],
  [
    'a temporary table of a block',
    [`do $$ begin execute 'create temporary table accounts (a int)'; end $$`],
    `select to_regclass('accounts')::text as "left"`,
    null,
  ],
  [
    'temporary tables with a deferred foreign key',
    [
      'create temp table a (id int primary key)',
      'create temp table b (a int references a deferrable initially deferred)',
      'insert into b values (null)',
    ],
    `select to_regclass('b')::text as "left"`,
    null,
  ],
  [
    'a temporary view, sequence, type and function',
    [
      'create temp view v as select 1',
      'create temp sequence s',
      'create type pg_temp.t as (a int)',
      `create function pg_temp.f() returns int language sql as 'select 1'`,
    ],
    'select count(*)::int as "left" from pg_depend where refobjid = pg_my_temp_schema() and refclassid = \'pg_namespace\'::regclass',
    0,
  ],
  ['a setting', [`set work_mem = '77MB'`], `select (current_setting('work_mem') = '77MB') as "left"`, false],
  [
    'a custom setting',
    [`set my.tenant = '7'`],
    `select coalesce(current_setting('my.tenant', true), '') as "left"`,
    '',
  ],
  ...[
    [`select set_config('my.' || 'tenant', '7', false)`],
    [`select set_config($a$my.tenant$a$, '7', false)`],
    [`select set_config(E'my.tenant', '7', false)`],
    [`select set_config(name, '7', false) from (values ('my.tenant')) names (name)`],
    [`do $$ begin execute format('set %s.%s = 7', 'my', 'tenant'); end $$`],
    [`do $$ declare command text := 'set '; begin execute command || 'my.tenant = 7'; end $$`],
    [
      `create function set_tenant(name text) returns text language sql as $$ select set_config(name, '7', false) $$`,
      `select set_tenant('my.' || 'tenant')`,
    ],
  ].map((up): (typeof kinds)[number] => [
    `a custom setting with a composed name: ${up.at(-1)}`,
    up,
    `select coalesce(current_setting('my.tenant', true), '') as "left"`,
    '',
  ]),
  [
    'a custom setting by set_config',
    [`select set_config('my.tenant', '7', false)`],
    `select coalesce(current_setting('my.tenant', true), '') as "left"`,
    '',
  ],
  [
    'a custom setting of a block',
    [`do $$ begin perform set_config('my.tenant', '7', false); end $$`],
    `select coalesce(current_setting('my.tenant', true), '') as "left"`,
    '',
  ],
  [
    'a custom setting of a function that exists',
    [
      `create function remember() returns void language plpgsql as 'begin set "my".tenant = 7; end'`,
      'select remember()',
    ],
    `select coalesce(current_setting('my.tenant', true), '') as "left"`,
    '',
  ],
  ['a role', ['set role pg_database_owner'], 'select current_user = session_user as "left"', true],
  ['an authorization', ['set session authorization "%"'], `select session_user::text = '%' as "left"`, false],
  [
    'an authorization and a role',
    ['set session authorization "%"', 'set role "%"'],
    `select session_user::text = '%' or current_setting('role') <> 'none' as "left"`,
    false,
  ],
  [
    'an advisory lock',
    ['select pg_advisory_lock(7)'],
    `select count(*)::int as "left" from pg_locks where locktype = 'advisory' and objid = 7`,
    0,
  ],
  [
    'an advisory lock held twice, shared',
    ['select pg_advisory_lock_shared(7, -8), pg_advisory_lock_shared(7, -8)'],
    `select count(*)::int as "left" from pg_locks where locktype = 'advisory' and classid = 7`,
    0,
  ],
  [
    'an advisory lock of a block',
    ['do $$ begin perform pg_try_advisory_lock(-1); end $$'],
    `select count(*)::int as "left" from pg_locks where locktype = 'advisory' and objsubid = 1`,
    0,
  ],
  [
    'a prepared statement',
    ['prepare "One" as select 1'],
    'select count(*)::int as "left" from pg_prepared_statements where from_sql',
    0,
  ],
  [
    'a cursor with hold',
    ['declare c cursor with hold for select 1'],
    `select count(*)::int as "left" from pg_cursors where name = 'c'`,
    0,
  ],
  [
    'a cursor with hold on a temporary table',
    ['create temp table t as select 1', 'declare c cursor with hold for select * from t'],
    `select count(*)::int as "left" from pg_cursors where name = 'c'`,
    0,
  ],
  [
    'a subscription to a channel',
    ['listen news'],
    'select count(*)::int as "left" from pg_listening_channels()',
    0,
  ],
  [
    'a subscription of a block',
    [`do $$ begin execute 'listen "News"'; end $$`],
    'select count(*)::int as "left" from pg_listening_channels()',
    0,
  ],
  [
    'the last value of a sequence',
    ['create sequence counter', `select nextval('counter')`],
    `select lastval() as "left"`,
    '55000',
  ],
  [
    'characteristics of transactions',
    ['set session characteristics as transaction read only'],
    `select current_setting('default_transaction_read_only') as "left"`,
    'off',
  ],
];

describe.each([
  ['directly', null],
  ['behind a pooler in transaction mode', 'transaction'],
] as const)('%s, the session is left without', (_, poolMode) => {
  test.skipIf(poolMode !== null && whyNoPooler).each(kinds)('%s', async (_kind, up, query, expected) => {
    const db = await emptyDatabase();
    const role = `role_${db.target.parts.database}`;
    if (up.some((sql) => sql.includes('%'))) await makeRole(db, role);
    const named = (text: string): string => text.replaceAll('%', role);
    const url = await through(db, poolMode);

    const statements = up.map(named);
    const seenAfter = async (migrations: Migrations): Promise<unknown[]> => {
      const orm = ormOn({ url }, migrations);
      await new Migrator(orm).up().catch((error: unknown) => {
        if (!('B' in migrations)) throw error;
      });
      return seen(orm, named(query));
    };

    // Some outlive a rollback, so one that succeeds is followed by one that fails.
    const again = statements.filter((sql) => !/^create (?:function|sequence)/.test(sql));
    const failing = { A: { up: statements }, B: { up: [...again, 'select 1/0'] } };
    expect(await seenAfter(failing)).toEqual(everywhere(expected));
    // Statement by statement, each stands alone.
    const apart = { A: { up: statements }, C: { up: [again.join('; ')], transactional: false } };
    expect(await seenAfter(apart)).toEqual(everywhere(expected));
  });
});

describe.each([
  ['directly', null],
  ['behind a pooler in transaction mode', 'transaction'],
] as const)('%s, a later migration meets nothing', (_, poolMode) => {
  test.skipIf(poolMode !== null && whyNoPooler)('of the former one, in one run or in two', async () => {
    for (const together of [true, false]) {
      const db = await emptyDatabase();
      const url = await through(db, poolMode);
      await db.orm.em.execute('create table accounts (id int)');
      const chain: Migrations = {
        A: { up: ['create temp table accounts (a int)', `set my.tenant = '7'`, 'prepare p as select 1'] },
        B: {
          up: [
            'alter table accounts add column b int',
            `do $$ begin assert coalesce(current_setting('my.tenant', true), '') = ''; end $$`,
            'prepare p as select 2',
          ],
        },
      };

      if (!together) await migratorOn({ url }, chain).up({ to: 'A' });
      await migratorOn({ url }, chain).up();

      expect(
        await db.orm.em.execute(
          `select attname from pg_attribute where attrelid = 'public.accounts'::regclass and attnum > 0 order by attnum`,
        ),
      ).toEqual([{ attname: 'id' }, { attname: 'b' }]);
    }
  });
});

test.each([
  ['what the connection had before stays', []],
  [
    'what the connection had before stays when a migration composes the name of a setting',
    [`select set_config('my.' || 'other', '9', false)`],
  ],
])('%s', async (_, more) => {
  const db = await emptyDatabase();
  const orm = migratorOnPrepared(db, more);

  await orm.up();

  expect(await db.orm.em.execute('select * from seen')).toEqual([
    { kept: 'a', mine: '7', path: 'pg_catalog', prepared: ['mine'], locks: 1, left: null },
  ]);
});

test('random numbers are not predictable after a migration that set their seed', async () => {
  const db = await emptyDatabase();
  const orm = ormOn(db, { A: { up: ['select setseed(0.5)'] } });
  const [{ predicted } = { predicted: 0 }] = await orm.em.transactional(async (em) => {
    await em.execute('select setseed(0.5)');
    return em.execute<{ predicted: number }[]>('select random() as predicted');
  });

  await new Migrator(orm).up();

  expect(await seen(orm, 'select random() as "left"')).not.toContain(predicted);
});

/** A migrator whose connections are set up by a hook, with two migrations. */
function migratorOnPrepared({ url }: TestDatabase, more: readonly string[]): Migrator {
  const hook = `create temp table kept as select 'a'::text as a; set my.mine = '7'; set search_path = pg_catalog; prepare mine as select 1;
    select pg_advisory_lock_shared(99); listen mine`;
  const migrations: Migrations = {
    A: {
      up: [
        'create temp table gone (a int)',
        `set my.mine = '8'`,
        'set search_path = public',
        'prepare other as select 1',
        'select pg_advisory_lock(100)',
        'listen other',
        ...more,
      ],
    },
    B: {
      up: [
        `create table public.seen as select (select a from kept) as kept, current_setting('my.mine') as mine, current_setting('search_path') as path,
           (select array_agg(name) from pg_prepared_statements where from_sql) as prepared,
           (select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and objid in (99, 100)) as locks,
           to_regclass('gone')::text as "left"`,
      ],
    },
  };
  const onCreateConnection = async (connection: unknown): Promise<void> => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the ORM passes the connection of Kysely's driver
    await (connection as DatabaseConnection).executeQuery(CompiledQuery.raw(hook));
  };
  return new Migrator(ormOn({ url }, migrations, { onCreateConnection }));
}

const connections = 4;

/** Returns what a query reads on each of several connections at once. */
async function seen({ em }: MikroORM, query: string): Promise<unknown[]> {
  let waiting = connections;
  const { promise: allBegan, resolve } = Promise.withResolvers<void>();
  return Promise.all(
    Array.from({ length: connections }, () =>
      em.fork().transactional(async (own) => {
        await own.execute('select 1');
        if (--waiting === 0) resolve();
        await allBegan;
        const [row] = await own.execute<{ left: unknown }[]>(query);
        return row?.left;
      }),
    ).map((reading) => reading.catch(findSqlState)),
  );
}

function everywhere(expected: unknown): unknown[] {
  return Array.from({ length: connections }, () => expected);
}

async function makeRole({ orm: { em } }: TestDatabase, role: string): Promise<void> {
  await em.execute(`create role "${role}"`);
  onTestFinished(async () => {
    await em.execute(`drop owned by "${role}" cascade; drop role "${role}"`);
  });
}

/** Returns the URL of the database, directly or through a pooler that is stopped after the test. */
async function through(db: TestDatabase, poolMode: 'transaction' | null): Promise<string> {
  if (poolMode === null) return db.url;
  const pooler = await PgBouncer.start(db.target, { poolMode, serverConnections: connections });
  onTestFinished(() => pooler.stop());
  return pooler.url();
}
