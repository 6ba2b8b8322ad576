import { describe, expect, onTestFinished, test } from 'vitest';
import { standalone } from 'mikro-orm-safe-migrations';
import { emptyDatabase, migratorOn, TestDatabase } from './kit/database.ts';
import { PgBouncer, whyNoPooler } from './kit/pgbouncer.ts';
import { startServer } from './kit/server.ts';
import type { Migrations } from './project.ts';

const committing = `create procedure p() language plpgsql as 'begin insert into seen values (1); commit; insert into seen values (2); end'`;
const seen = 'create table seen (a int)';

function standing(...up: string[]): Migrations {
  return { A: { up, transactional: false } };
}

describe('runs outside a transaction without a mark', () => {
  test.each<[string, string[], string, unknown]>([
    [
      'a call of a procedure that commits',
      [committing, 'call p()'],
      'select count(*)::int as n from seen',
      2,
    ],
    [
      'a block that commits',
      [`do $$ begin insert into seen values (1); commit; insert into seen values (2); rollback; end $$`],
      'select count(*)::int as n from seen',
      1,
    ],
    ['discard all', ['discard all'], 'select 1 as n', 1],
    [
      'reindex of a partitioned table',
      [
        'create table p (a int primary key) partition by range (a)',
        'create table p1 partition of p default',
        'reindex table p',
      ],
      'select 1 as n',
      1,
    ],
    [
      'reindex of a partitioned index',
      [
        'create table p (a int primary key) partition by range (a)',
        'create table p1 partition of p default',
        'reindex index p_pkey',
      ],
      'select 1 as n',
      1,
    ],
    [
      'cluster of a partitioned table',
      [
        'create table p (a int primary key) partition by range (a)',
        'create table p1 partition of p default',
        'cluster p using p_pkey',
      ],
      'select 1 as n',
      1,
    ],
    ['cluster of all', ['cluster (verbose)'], 'select 1 as n', 1],
    ['vacuum', ['vacuum (full, analyze) seen'], 'select 1 as n', 1],
    [
      'a setting of the server',
      [`alter system set work_mem = '5MB'`, 'alter system reset work_mem'],
      'select 1 as n',
      1,
    ],
  ])('%s', async (_, up, query, expected) => {
    const db = await emptyDatabase();

    expect(await migratorOn(db, standing(seen, ...up)).up()).toMatchObject([{ name: 'A' }]);

    expect(await db.orm.em.execute(query)).toEqual([{ n: expected }]);
  });

  test('databases, and replication slots', async () => {
    const server = await startServer('wal_level=logical');
    onTestFinished(server.stop);
    await using db = await TestDatabase.create({ url: server.url, prefix: 'own' });
    const up = [
      'create database made',
      `select pg_create_logical_replication_slot('one', 'pgoutput')`,
      `select pg_create_physical_replication_slot('two')`,
      `select pg_drop_replication_slot('two')`,
    ];

    expect(await migratorOn(db, standing(seen, ...up)).up()).toMatchObject([{ name: 'A' }]);

    expect(await db.orm.em.execute('select slot_name from pg_replication_slots')).toEqual([
      { slot_name: 'one' },
    ]);
    await db.orm.em.execute(`select pg_drop_replication_slot('one')`);
  });
});

test('runs a marked statement outside a transaction', async () => {
  const db = await emptyDatabase();
  const hidden = `create procedure q() language plpgsql as 'begin call p(); end'`;

  await expect(migratorOn(db, standing(seen, committing, hidden, 'call q()')).up()).rejects.toThrow(
    'mark it: this.addSql(standalone',
  );
  await db.orm.em.execute(
    'drop table seen; drop procedure p; drop procedure q; delete from migrator.progress',
  );
  expect(await migratorOn(db, standing(seen, committing, hidden, standalone('call q()'))).up()).toMatchObject(
    [{ name: 'A' }],
  );

  expect(await db.orm.em.execute('select a from seen order by a')).toEqual([{ a: 1 }, { a: 2 }]);
});

test('code that stands alone leaves nothing for the next statement', async () => {
  const db = await emptyDatabase();
  const leaving = `do $$ begin create temp table accounts (a int); set my.tenant = '7'; perform pg_advisory_lock(7); commit; end $$`;
  const up = [
    'create table accounts (id int)',
    leaving,
    standalone('insert into accounts (id) values (1)'),
    'vacuum accounts',
  ];
  const failsIfSet = standalone(
    `do $$ begin assert coalesce(current_setting('my.tenant', true), '') = ''; end $$`,
  );

  await migratorOn(db, standing(...up, failsIfSet)).up();

  expect(await db.orm.em.execute('select id from public.accounts')).toEqual([{ id: 1 }]);
});

describe('refuses before the first statement', () => {
  test.each<[string, Migrations, RegExp]>([
    [
      'a mark in a transactional migration',
      { A: { up: [seen, standalone('call p()')] } },
      /return false from its isTransactional/,
    ],
    [
      'a mark on several statements',
      standing(seen, standalone('vacuum seen; select 1')),
      /marks several statements/,
    ],
    ['a mark on a transaction', standing(seen, standalone('commit')), /remove that statement/],
  ])('%s', async (_, migrations, message) => {
    const db = await emptyDatabase();

    await expect(migratorOn(db, migrations).up()).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(message),
    });

    expect(await db.orm.em.execute(`select to_regclass('seen') as t`)).toEqual([{ t: null }]);
  });

  test('an empty statement', () => {
    expect(() => standalone(' ')).toThrow('the statement is empty');
  });

  test
    .skipIf(whyNoPooler)
    .each(['do $$ begin commit; end $$', standalone('call p()'), standalone('do $$ begin end $$')])(
    'code behind a pooler: %s',
    async (sql) => {
      const db = await emptyDatabase();
      await using pooler = await PgBouncer.start(db.target, { poolMode: 'transaction' });

      await expect(migratorOn({ url: pooler.url() }, standing(seen, sql)).up()).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringContaining('connect to the server itself'),
      });

      expect(await db.orm.em.execute(`select to_regclass('seen') as t`)).toEqual([{ t: null }]);
    },
  );

  test.skipIf(whyNoPooler)('but not what runs no code', async () => {
    const db = await emptyDatabase();
    await using pooler = await PgBouncer.start(db.target, { poolMode: 'transaction' });

    expect(
      await migratorOn(
        { url: pooler.url() },
        standing(seen, 'vacuum seen', standalone('insert into seen values (1)')),
      ).up(),
    ).toMatchObject([{ name: 'A' }]);
  });
});

describe('after an interruption', () => {
  test.each([
    ['a call', 'call p()', 4],
    ['a block', `do $$ begin insert into seen values (1); commit; insert into seen values (2); end $$`, 4],
    ['a marked query', standalone('insert into seen values (1), (2)'), 4],
  ])('%s stops, and says how to go on', async (_, sql, twice) => {
    for (const complete of [true, false]) {
      const db = await emptyDatabase();
      const migrator = migratorOn(db, standing(seen, committing, sql, 'create table later ()'));
      await interrupted(db, migrator);

      const [stopped] = await Promise.allSettled([migrator.up()]);

      const reason = stopped?.status === 'rejected' ? String(stopped.reason) : '';
      expect(reason).toContain('its outcome is unknown');
      expect(await count(db)).toBe(2);
      const [update = '', remove = ''] = reason.match(/(?:update|delete from) "migrator".*;/g) ?? [];
      await db.orm.em.execute(complete ? update : remove);
      expect(await migrator.up()).toMatchObject([{ name: 'A' }]);
      expect(await count(db)).toBe(complete ? 2 : twice);
    }
  });

  test.each([
    ['that is idempotent', standalone('insert into seen values (1), (2)', { idempotent: true }), 4],
    ['that is idempotent by nature', 'vacuum seen', 0],
  ])('one %s is sent again', async (_, sql, rows) => {
    const db = await emptyDatabase();
    const migrator = migratorOn(db, standing(seen, committing, sql, 'create table later ()'));
    await interrupted(db, migrator);

    expect(await migrator.up()).toMatchObject([{ name: 'A' }]);

    expect(await count(db)).toBe(rows);
  });

  test('the server is asked whether a database or a slot was made', async () => {
    for (const make of [
      'create database "%"',
      `select pg_create_physical_replication_slot('%')`,
      'drop database "%"',
    ]) {
      const db = await emptyDatabase();
      const name = `${db.target.parts.database}_x`;
      if (make.startsWith('drop')) await db.orm.em.execute(`create database "${name}"`);
      const migrator = migratorOn(
        db,
        standing(seen, committing, make.replace('%', name), 'create table later ()'),
      );
      await interrupted(db, migrator);

      expect(await migrator.up()).toMatchObject([{ name: 'A' }]);

      await db.orm.em.execute(`drop database if exists "${name}"`);
      await db.orm.em.execute(
        `select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '${name}'`,
      );
    }
  });
});

test('after an error, an atomic statement is known not to be done, and one that runs code is not', async () => {
  const db = await emptyDatabase();
  const failing = `create procedure p() language plpgsql as 'begin insert into seen values (1); commit; perform 1 / (select count(*) from ready); end'`;
  const migrator = (last: string) => migratorOn(db, standing(seen, 'create table ready ()', failing, last));
  const [atomic, code] = [standalone('insert into seen select 1 / (select count(*) from ready)'), 'call p()'];

  await expect(migrator(atomic).up()).rejects.toMatchObject({ code: 'failed' });
  expect(await db.orm.em.execute('select count(*)::int as n from migrator.progress')).toEqual([{ n: 3 }]);
  await db.orm.em.execute('drop table seen, ready; drop procedure p; delete from migrator.progress');
  await expect(migrator(code).up()).rejects.toMatchObject({ code: 'failed' });
  await expect(migrator(code).up()).rejects.toThrow('its outcome is unknown');

  expect(await count(db)).toBe(1);
});

/** Applies a migration, of which the completion of the third statement can't be recorded, as if its process had been killed. */
async function interrupted(
  { orm: { em } }: TestDatabase,
  migrator: ReturnType<typeof migratorOn>,
): Promise<void> {
  await migratorOnStart(em);
  await expect(migrator.up()).rejects.toMatchObject({ code: 'failed' });
  await em.execute('drop trigger stop on migrator.progress');
}

async function migratorOnStart(em: TestDatabase['orm']['em']): Promise<void> {
  await em.execute(
    `create schema migrator; create table migrator.progress (
       name text not null, direction text not null, statement integer not null, checksum text not null, done boolean not null, place jsonb,
       at timestamptz not null default clock_timestamp(), primary key (name, direction, statement));
     create function migrator.stop() returns trigger language plpgsql as 'begin raise ''stopped''; end';
     create trigger stop before update on migrator.progress for each row when (new.done and new.statement = 2) execute function migrator.stop()`,
  );
}

async function count({ orm: { em } }: TestDatabase): Promise<number> {
  const [{ n } = { n: 0 }] = await em.execute<{ n: number }[]>('select count(*)::int as n from seen');
  return n;
}
