import { Migrator, type CheckResult } from 'mikro-orm-safe-migrations';
import { beforeAll, describe, expect, test } from 'vitest';
import { TestDatabase } from './kit/database.ts';
import { freshName, sharedObjects } from './kit/roles.ts';
import { projectOn } from './project.ts';

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
