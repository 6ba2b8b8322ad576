import { Migrator } from 'mikro-orm-safe-migrations';
import { describe, expect, onTestFinished, test } from 'vitest';
import { withScratchDatabase } from '../src/catalog/scratch-database.ts';
import { poolSession } from '../src/session/session.ts';
import { emptyDatabase, migratorOn, ormOn } from './kit/database.ts';
import { createRole, freshName, sharedObjects } from './kit/roles.ts';

const first = 'Migration1_first';

async function set() {
  const db = await emptyDatabase();
  const role = await createRole(db, 'in role pg_signal_backend');
  await db.orm.em.execute(`alter database "${db.target.parts.database}" set timezone = 'UTC'`);
  return { db, names: { role: role.name, fresh: freshName(), database: db.target.parts.database } };
}

test('check agrees after the migrations were applied, and names what it left out', async () => {
  const { db, names } = await set();
  const { fresh } = names;
  onTestFinished(async () => {
    await db.orm.em.execute(`drop owned by ${fresh}; drop role ${fresh}; drop role ${fresh}_2`);
  });
  const migrator = migratorOn(db, {
    [first]: {
      up: [
        `create role ${fresh}`,
        `do $$ begin create role ${fresh}_2; end $$`,
        `create table report (id int)`,
        `grant select on report to ${fresh}`,
        `create function make_role() returns void language plpgsql as $$ begin create role ${fresh}_3; end $$`,
      ],
    },
  });
  await migrator.up();

  const result = await migrator.check();

  expect(result).toMatchObject({ agrees: false, database: [], migrations: [] });
  expect(result.entities).toHaveLength(2);
  expect(result.leftOut.map(({ statement }) => statement)).toEqual([
    `create role ${fresh}`,
    `do $$ begin create role ${fresh}_2; end $$`,
  ]);
});

test('statements that name a role that does not exist yet are left out too', async () => {
  const { db, names } = await set();
  const { fresh } = names;

  const { leftOut } = await migratorOn(db, {
    [first]: {
      up: [
        `create role ${fresh}`,
        'create table report (id int)',
        `grant select on report to ${fresh}`,
        `create policy seen on report to ${fresh} using (true)`,
        `alter default privileges grant select on tables to ${fresh}`,
        `alter table report owner to ${fresh}`,
        `create schema s authorization ${fresh}`,
        'create table s.inside (id int)',
        `set role ${fresh}`,
        `do $$ begin grant select on report to ${fresh}; end $$`,
      ],
    },
  }).check();

  expect(leftOut.map(({ statement }) => statement.split(' ', 2).join(' '))).toEqual([
    'create role',
    'grant select',
    'create policy',
    'alter default',
    'alter table',
    'create schema',
    'set role',
    'do $$',
  ]);
});

test.each([
  [
    'a function',
    (role: string) => [
      `create function f() returns int language plpgsql as $$ begin create role ${role}; return 1; end $$`,
      'select f()',
    ],
  ],
  [
    'a procedure',
    (role: string) => [
      `create procedure f() language plpgsql as $$ begin create role ${role}; end $$`,
      'call f()',
    ],
  ],
  [
    "a trigger's function",
    (role: string) => [
      'create table t (id int)',
      `create function f() returns trigger language plpgsql as $$ begin create role ${role}; return new; end $$`,
      'create trigger t after insert on t for each row execute function f()',
      'select 1; insert into t values (1)',
    ],
  ],
])('what %s would create is not created', async (_, up) => {
  const { db, names } = await set();

  const { leftOut } = await migratorOn(db, { [first]: { up: up(names.fresh) } }).check();

  expect(leftOut.map(({ statement }) => statement)).toEqual([
    up(names.fresh)
      .at(-1)
      ?.replace(/^select 1; /, 'select 1; '),
  ]);
  expect(await sharedObjects(db, names.fresh)).toMatchObject([{ roles: null }]);
});

test('code that no statement calls is refused before it commits', async () => {
  const { db, names } = await set();
  const up = [
    `create function f() returns event_trigger language plpgsql as $$ begin create role ${names.fresh}; end $$`,
    'create event trigger f on ddl_command_end execute function f()',
    'create table t (id int)',
  ];

  const checked = migratorOn(db, { [first]: { up } }).check();

  await expect(checked).rejects.toThrow('changes what all databases of the server share (');
  expect(await sharedObjects(db, names.fresh)).toMatchObject([{ roles: null }]);
});

test('code that changes only its own database is kept', async () => {
  const { db } = await set();
  const migrator = migratorOn(db, {
    [first]: {
      up: [
        `do $$ begin
           create table made (id int);
           execute format('alter database %I set work_mem = 77', current_database());
           execute format('grant connect on database %I to public', current_database());
           execute format('comment on database %I is %L', current_database(), 'shop');
         end $$`,
      ],
    },
  });
  await migrator.up();

  expect(await migrator.check()).toMatchObject({ database: [], leftOut: [] });
});

test('a role that may only create databases gets the same result', async () => {
  const { db, names } = await set();
  const { url } = await createRole(db, 'createdb');
  const [migrator] = [
    new Migrator(
      ormOn(
        { url },
        {
          [first]: { up: [`create role ${names.fresh}`, `do $$ begin create role ${names.fresh}; end $$`] },
        },
      ),
    ),
  ];

  const { leftOut } = await migrator.check();

  expect(leftOut).toHaveLength(2);
});

/** Sends statements outside transactions on a scratch database, and returns the numbers of those that were left out. */
async function send(...texts: string[]) {
  const { db, names } = await set();
  const sent = texts.map((text) => text.replaceAll('ROLE', names.fresh));
  const leftOut = await withScratchDatabase(
    { orm: db.orm, schema: 'migrator', scratchUrl: undefined },
    async (scratch, guard) => {
      for (const sql of sent) await poolSession(scratch).query(`/* "migrator"."lease" 7 */ ${sql}`);
      return guard.leftOut;
    },
  );
  expect(await sharedObjects(db, names.fresh)).toMatchObject([{ roles: null, databases: null }]);
  return leftOut.map(({ statement }) => sent.findIndex((sql) => statement.endsWith(sql)));
}

describe('a statement outside a transaction', () => {
  const trigger = [
    'create table t (id int)',
    'create function f() returns trigger language plpgsql as $$ begin create role ROLE; return new; end $$',
    'create trigger t before insert on t for each row execute function f()',
  ];

  test.each([
    [
      'that commits in its code',
      ['create procedure p() language plpgsql as $$ begin create role ROLE; commit; end $$', 'call p()'],
      [1],
    ],
    ['that is a block with a commit', ['do $$ begin create role ROLE; commit; end $$'], [0]],
    ['that creates a database', ['create database ROLE'], [0]],
    ['that alters the system', [`alter system set log_statement = 'all'`], [0]],
    [
      'that is a query',
      [
        'create function f() returns int language plpgsql as $$ begin create role ROLE; return 1; end $$',
        'select f()',
      ],
      [1],
    ],
    [
      'that fires a trigger, and is not left out',
      [...trigger, 'vacuum t', 'create index concurrently on t (id)'],
      [],
    ],
  ])('%s', async (_, texts, expected) => {
    expect(await send(...texts)).toEqual(expected);
  });

  test('is refused where its trigger changes the server', async () => {
    await expect(send(...trigger, 'insert into t values (1)')).rejects.toThrow(
      'what all databases of the server share',
    );
  });
});
