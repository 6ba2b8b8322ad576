import { defineEntity, MikroORM, p } from '@mikro-orm/postgresql';
import {
  createMigration,
  describeDifference,
  MigrationRefusedError,
  Migrator,
  comparisonSettings,
} from 'mikro-orm-safe-migrations';
import { describe, expect, onTestFinished, test } from 'vitest';
import { IgnoredObjects } from '../src/catalog/ignored-objects.ts';
import { emptyDatabase, ormOn } from './kit/database.ts';
import { createRole } from './kit/roles.ts';
import { startServer, targetOf, urlOf } from './kit/server.ts';

const Thing = defineEntity({
  name: 'Thing',
  tableName: 'thing',
  properties: { id: p.integer().primary(), name: p.text() },
});
const thing = 'create table thing (id serial primary key, name text not null)';

describe('a pattern of ignore', () => {
  test.each([
    [
      'pgboss.*',
      ['schema pgboss', 'table pgboss.job', 'function pgboss.f(integer)', 'type pgboss.state'],
      ['schema pgboss2', 'table job', 'table pgbossx.job'],
    ],
    [
      'public.events_p*',
      ['table events_p2024', 'sequence events_p_seq'],
      ['table events', 'table shop.events_p1', 'schema public'],
    ],
    ['events_?', ['table events_1'], ['table events_12', 'table x.events_1']],
    ['*.audit', ['table audit', 'view shop.audit'], ['table shop.audits']],
    ['function shop.*', ['function shop.f(a.b, text)'], ['table shop.f', 'schema shop']],
    ['extension pg_*', ['extension pg_trgm'], ['table pg_x', 'extension hstore']],
    ['Shop.*', ['table "Shop".product', 'schema "Shop"'], ['table shop.product']],
    ['a+b.*', ['table "a+b".t'], ['table aab.t']],
    ['event trigger guard', ['event trigger guard'], ['table guard']],
  ])('%s', (pattern, ignored, kept) => {
    const patterns = new IgnoredObjects([pattern]);

    expect(ignored.filter((object) => !patterns.has(object))).toEqual([]);
    expect(kept.filter((object) => patterns.has(object))).toEqual([]);
  });

  test.each(['', 'a.b.c', 'a.', '.b', 'a b', '"A".b'])('"%s" is refused', async (pattern) => {
    const { orm } = await emptyDatabase();

    expect(() => new Migrator(orm, { ignore: [pattern] })).toThrow(MigrationRefusedError);
  });
});

describe('what is ignored', () => {
  const ignore = ['pgboss.*', 'public.events_p*'];
  const chain = {
    Migration1_thing: {
      up: [thing, 'create table events (at date not null, id int not null) partition by range (at)'],
    },
  };
  const Events = defineEntity({
    name: 'Events',
    tableName: 'events',
    properties: { at: p.date().primary(), id: p.integer() },
  });
  const runtime = `
    create schema pgboss; create type pgboss.state as enum ('a'); create table pgboss.job (id serial primary key, state pgboss.state);
    create function pgboss.f() returns int language sql as 'select 1';
    create table events_p2024 partition of events for values from ('2024-01-01') to ('2025-01-01')`;

  test('may differ in the database, by an option or the configuration', async () => {
    const db = await emptyDatabase();
    const orm = ormOn(db, chain, { entities: [Thing] });
    await new Migrator(orm).up();
    await db.orm.em.execute(runtime);

    expect((await new Migrator(orm).check()).database).not.toEqual([]);
    expect((await new Migrator(orm, { ignore }).check()).database).toEqual([]);
    const configured = ormOn(db, chain, {
      entities: [Thing],
      migrations: { ...comparisonSettings({ ignore }) },
    });
    expect((await new Migrator(configured).check()).database).toEqual([]);
    await db.orm.em.execute('alter table thing add column extra int');
    expect((await new Migrator(configured).check()).database?.map(describeDifference)).toEqual([
      'table thing: column extra: in the database, not made by the migrations',
    ]);
  });

  test('may differ for baseline', async () => {
    const db = await emptyDatabase();
    const orm = ormOn(db, chain, { entities: [Thing] });
    for (const sql of chain.Migration1_thing.up) await db.orm.em.execute(sql);
    await db.orm.em.execute(runtime);

    await expect(new Migrator(orm).baseline('Migration1_thing')).rejects.toThrow('table pgboss.job');
    expect(await new Migrator(orm, { ignore }).baseline('Migration1_thing')).toEqual(['Migration1_thing']);
  });

  test('may differ between migrations and entities, for check and create', async () => {
    const db = await emptyDatabase();
    const made = {
      Migration1_thing: {
        up: [thing, runtime.replace(/create table events.*/, ''), 'create table events_p1 (id int)'],
      },
    };
    const Ignored = defineEntity({
      name: 'Job',
      tableName: 'events_p7',
      properties: { id: p.integer().primary() },
    });
    const orm = ormOn(db, made, { entities: [Thing, Ignored] });
    await new Migrator(orm).up();

    expect(await new Migrator(orm, { ignore }).check()).toMatchObject({ agrees: true });
    expect(await createMigration(orm, 'nothing', { ignore })).toBe(null);
    expect(await new Migrator(orm).check()).toMatchObject({ agrees: false });
    expect(Events.meta.tableName).toBe('events');
  });
});

async function managed() {
  const db = await emptyDatabase();
  const role = await createRole(db, 'createdb');
  await db.orm.em.execute(
    `grant create on database "${db.target.parts.database}" to ${role.name}; grant all on schema public to ${role.name}`,
  );
  return { db, role };
}

describe('a role that may only create databases', () => {
  test('leaves out an extension that it may not create', async () => {
    const { db, role } = await managed();
    await db.orm.em.execute('create extension pg_stat_statements');
    const orm = ormOn(
      { url: role.url },
      {
        Migration1_thing: {
          up: [
            'create extension if not exists pg_stat_statements',
            `comment on extension pg_stat_statements is 'x'; ${thing}`,
          ],
        },
      },
      { entities: [Thing] },
    );
    await db.orm.em
      .execute(`create table mikro_orm_migrations (id serial primary key, name varchar(255), executed_at timestamptz default current_timestamp);
      insert into mikro_orm_migrations (name) values ('Migration1_thing'); grant all on mikro_orm_migrations to ${role.name}; ${thing}`);

    const result = await new Migrator(orm).check();

    expect(result).toMatchObject({ agrees: true, database: [] });
    expect(
      result.leftOut.map(({ statement, reason }) => [statement.split(' ', 2).join(' '), reason]),
    ).toEqual([
      ['create extension', expect.stringContaining('pg_stat_statements')],
      ['comment on', 'the scratch database has no extension pg_stat_statements'],
    ]);
  });

  test('compares an extension in a schema of its own', async () => {
    const { db, role } = await managed();
    await db.orm.em.execute(`create schema extensions authorization ${role.name}`);
    const orm = ormOn(
      { url: role.url },
      {
        Migration1_thing: { up: ['create extension if not exists hstore schema extensions', thing] },
      },
      { entities: [Thing] },
    );
    await new Migrator(orm).up();

    expect(await new Migrator(orm).check()).toMatchObject({ agrees: true, leftOut: [] });
  });

  test.each([
    ['exists before', [thing]],
    ['is created by a migration', ['create schema ROLE', thing]],
    ['is created if it does not exist', ['create schema if not exists ROLE', thing]],
  ])('has unqualified names in a schema of its name, which %s', async (_, texts) => {
    const { db, role } = await managed();
    const up = texts.map((sql) => sql.replace('ROLE', role.name));
    if (up.length === 1) await db.orm.em.execute(`create schema ${role.name} authorization ${role.name}`);
    const orm = ormOn({ url: role.url }, { Migration1_thing: { up } });
    await new Migrator(orm).up();

    const { database } = await new Migrator(orm).check();

    expect(database?.map(describeDifference)).toEqual([]);
    expect(
      await db.orm.em.execute('select schemaname from pg_tables where tablename = ?', ['thing']),
    ).toEqual([{ schemaname: role.name }]);
  });
});

describe('scratchUrl', () => {
  test('lets a role compare that may not create databases', async () => {
    const db = await emptyDatabase();
    const role = await createRole(db);
    await db.orm.em.execute(
      `grant create on database "${db.target.parts.database}" to ${role.name}; grant all on schema public to ${role.name}`,
    );
    const orm = ormOn({ url: role.url }, { Migration1_thing: { up: [thing] } }, { entities: [Thing] });
    await new Migrator(orm).up();

    await expect(new Migrator(orm).check()).rejects.toThrow('--scratch-url');
    expect(
      await new Migrator(orm, { scratchUrl: urlOf(targetOf(db.url), 'postgres') }).check(),
    ).toMatchObject({ agrees: true });
    expect(await createMigration(orm, 'nothing', { scratchUrl: db.url })).toBe(null);
  });

  test('names another server, with other roles, locales and role of the connection', async () => {
    const server = await startServer();
    onTestFinished(() => server.stop());
    const db = await emptyDatabase();
    const role = await createRole(db);
    await db.orm.em
      .execute(`create schema authorization ${role.name}; grant create on database "${db.target.parts.database}" to ${role.name};
      grant all on schema public to ${role.name}`);
    const reader = await createRole(db);
    const orm = ormOn(
      { url: role.url },
      { Migration1_thing: { up: [thing, `grant select on thing to ${reader.name}`] } },
    );
    await new Migrator(orm).up();

    const result = await new Migrator(orm, { scratchUrl: server.url }).check();

    expect(result.database).toEqual([]);
    expect(result.leftOut).toMatchObject([{ statement: `grant select on thing to ${reader.name}` }]);
    const [databases] = [
      new MikroORM({ clientUrl: server.url, entities: [], discovery: { warnWhenNoEntities: false } }),
    ];
    onTestFinished(() => databases.close(true));
    expect(await databases.em.execute(`select datname from pg_database where datname ~ 'scratch'`)).toEqual(
      [],
    );
    await db.orm.em.execute(`alter table ${role.name}.thing add column extra int`);
    expect((await new Migrator(orm, { scratchUrl: server.url }).check()).database).toHaveLength(1);
  });

  test.each([
    ['no URL', 'nonsense', 'is invalid'],
    ['another protocol', 'http://localhost/x', 'is invalid'],
    [
      'an unreachable server',
      'postgresql://u:secret@127.0.0.1:1/x',
      "can't connect to the server of the scratch database",
    ],
  ])('refuses %s without its password', async (_, scratchUrl, message) => {
    const { url } = await emptyDatabase();

    const checked = new Migrator(ormOn({ url }, {}), { scratchUrl }).check();

    await expect(checked).rejects.toThrow(message);
    await expect(checked).rejects.not.toThrow('secret');
  });
});
