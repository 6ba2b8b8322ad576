import { Migrator, type CheckResult } from 'mikro-orm-safe-migrations';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { TestDatabase, emptyDatabase, migratorOn, ormOn } from './kit/database.ts';
import { withScratchDatabase } from '../src/catalog/scratch-database.ts';
import { poolSession } from '../src/session/session.ts';
import { projectOn } from './project.ts';
import { createRole, freshName, sharedObjects } from './kit/roles.ts';

const first = 'Migration1_first';

type Case = readonly [
  name: string,
  /** Made before: a role, and the connected database. */
  statement: (names: { role: string; fresh: string; database: string }) => string,
];

const statements: readonly Case[] = [
  ['alter role … set', ({ role }) => `alter role ${role} set search_path to legacy`],
  ['drop role', ({ role }) => `drop role ${role}`],
  ['create role', ({ fresh }) => `create role ${fresh}`],
  ['create user', ({ fresh }) => `create user ${fresh} password 'x'`],
  ['alter role … rename', ({ role, fresh }) => `alter role ${role} rename to ${fresh}_${role}`],
  ['grant of a role', ({ role }) => `grant pg_monitor to ${role}`],
  ['revoke of a role', ({ role }) => `revoke pg_signal_backend from ${role}`],
  ['alter group', ({ role }) => `alter group pg_read_all_stats add user ${role}`],
  ['create database', ({ fresh }) => `create database ${fresh}`],
  ['alter database … set', ({ database }) => `alter database ${database} set work_mem = '5MB'`],
  ['alter database … connection limit', ({ database }) => `alter database ${database} connection limit 7`],
  ['alter database … owner', ({ database, role }) => `alter database ${database} owner to ${role}`],
  ['alter database … rename', ({ database, fresh }) => `alter database ${database} rename to ${fresh}`],
  ['grant on a database', ({ database, role }) => `grant create on database ${database} to ${role}`],
  ['grant on a tablespace', ({ role }) => `grant create on tablespace pg_default to ${role}`],
  ['comment on a role', ({ role }) => `comment on role ${role} is '${role}'`],
  ['comment on a database', ({ database, role }) => `comment on database ${database} is '${role}'`],
  [
    'create subscription',
    ({ fresh }) => `create subscription ${fresh} connection 'dbname=x' publication p with (connect = false)`,
  ],
  ['a replication slot', ({ fresh }) => `select pg_create_physical_replication_slot('${fresh}')`],
  ['a replication origin', ({ fresh }) => `select pg_replication_origin_create('${fresh}')`],
  ['reassign owned', ({ role }) => `reassign owned by ${role} to current_user`],
  ['drop owned', ({ role }) => `drop owned by ${role}`],
  ['one of several statements', ({ fresh }) => `create role ${fresh}; create table beside (id int)`],
];

const blocks: readonly Case[] = [
  ['a block that creates a role', ({ fresh }) => `do $$ begin create role ${fresh}; end $$`],
  ['a block that drops a role', ({ role }) => `do $$ begin drop role ${role}; end $$`],
  [
    'a block that handles its errors',
    ({ fresh }) => `do $$ begin begin create role ${fresh}; exception when others then null; end; end $$`,
  ],
  [
    'a block that builds its text',
    ({ role }) => `do $$ begin execute 'alter ro' || 'le ${role} set work_mem = 77'; end $$`,
  ],
  ['a block that resets its role', ({ fresh }) => `do $$ begin reset role; create role ${fresh}; end $$`],
  ['a block that grants a role', ({ role }) => `do $$ begin grant pg_monitor to ${role}; end $$`],
  [
    'a block that sets the connected database',
    ({ database }) => `do $$ begin alter database ${database} set work_mem = 77; end $$`,
  ],
  [
    'a block that sets the connected database, and its own',
    ({ database }) =>
      `do $$ begin alter database ${database} set work_mem = 77; execute format('alter database %I set work_mem = 77', current_database()); end $$`,
  ],
  [
    'a block that grants on a database',
    ({ database, role }) => `do $$ begin grant create on database ${database} to ${role}; end $$`,
  ],
  [
    'a block that grants on a tablespace',
    ({ role }) => `do $$ begin grant create on tablespace pg_default to ${role}; end $$`,
  ],
  [
    'a block that comments on a role',
    ({ role }) => `do $$ begin comment on role ${role} is '${role}'; end $$`,
  ],
  [
    'a block that creates a subscription',
    ({ fresh }) =>
      `do $$ begin create subscription ${fresh} connection 'dbname=x' publication p with (connect = false); end $$`,
  ],
  [
    'a block that creates a replication slot',
    ({ fresh }) => `do $$ begin perform pg_create_physical_replication_slot('${fresh}'); end $$`,
  ],
  [
    'a block that creates a replication origin',
    ({ fresh }) => `do $$ begin perform pg_replication_origin_create('${fresh}'); end $$`,
  ],
  [
    'a block that changes a password',
    ({ role }) => `do $$ begin alter role ${role} password 'other'; end $$`,
  ],
];

async function set() {
  const db = await emptyDatabase();
  const role = await createRole(db, 'in role pg_signal_backend');
  await db.orm.em.execute(`alter database "${db.target.parts.database}" set timezone = 'UTC'`);
  return { db, names: { role: role.name, fresh: freshName(), database: db.target.parts.database } };
}

describe.each([
  ['in a transaction', true],
  ['statement by statement', false],
])('check changes nothing on the server, %s', (_, transactional) => {
  const cases = [...statements, ...blocks];
  let result: CheckResult;
  let seen: unknown[];
  const sent = new Map<string, string>();

  beforeAll(async () => {
    const db = await TestDatabase.create();
    const role = freshName();
    await db.orm.em.execute(`create role ${role} in role pg_signal_backend`);
    await db.orm.em.execute(`alter database "${db.target.parts.database}" set timezone = 'UTC'`);
    const names = { role, fresh: freshName(), database: db.target.parts.database };
    const look = () => Promise.all([role, names.fresh].map((name) => sharedObjects(db, name)));
    for (const [name, statement] of cases) sent.set(name, statement(names));
    const chain = [...sent].map(([, sql], at) => [nameOf(at), { up: [sql], transactional }] as const);
    const orm = projectOn(db.url, Object.fromEntries(chain));
    const before = await look();

    result = await new Migrator(orm).check();

    seen = [await look(), before];
    await orm.close(true);
    await db.orm.em.execute(`drop owned by ${role}; drop role ${role}`);
    await db.drop();
  });

  test('what the server shares is as before', () => {
    expect(seen[0]).toEqual(seen[1]);
  });

  test.each(cases.map(([name]) => [name]))('%s is left out and named', (name) => {
    const migration = nameOf(cases.findIndex(([one]) => one === name));
    const found = result.leftOut.filter((one) => one.migration === migration);
    expect(found).toMatchObject([{ statement: sent.get(name)?.split('; create table')[0] }]);
    expect(found[0]?.reason).toMatch(/what all databases of the server share$/);
  });
});

function nameOf(at: number): string {
  return `Migration${100 + at}`;
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
