import { describe, expect, onTestFinished, test } from 'vitest';
import {
  Migrator,
  type MigrationEvent,
  type MigratorOptions,
  type SchemaDrift,
} from 'mikro-orm-safe-migrations';
import { emptyDatabase, migratorOn, ormOn, type TestDatabase } from '../kit/database.ts';
import { PgBouncer, whyNoPooler } from '../kit/pgbouncer.ts';
import { createRole } from '../kit/roles.ts';
import { projectOn, type Migrations } from '../project.ts';
import { linesOf, noDrift } from './changes.ts';

const first = 'Migration20260101000000_first';
const second = 'Migration20260102000000_second';
const third = 'Migration20260103000000_third';

const chain: Migrations = {
  [first]: { up: ['create table one (id int)'], down: ['drop table one'] },
  [second]: { up: ['create table two (id int)'], down: ['drop table two'] },
};

function chainOn(
  db: TestDatabase,
  tableName: string,
  migrations: Migrations,
  options?: MigratorOptions,
): Migrator {
  const orm = projectOn(db.url, migrations, { migrations: { tableName } });
  onTestFinished(() => orm.close(true));
  return new Migrator(orm, options);
}

async function migrated(): Promise<TestDatabase> {
  const db = await emptyDatabase();
  await migratorOn(db, chain).up({ to: first });
  return db;
}

describe('what the migrator changes is no drift', () => {
  test('by each command', async () => {
    const db = await emptyDatabase();
    const migrator = migratorOn(db, chain);
    const run = {
      'up to the first': () => migrator.up({ to: first }),
      up: () => migrator.up(),
      'up without pending ones': () => migrator.up(),
      redo: () => migrator.redo(),
      down: () => migrator.down(),
      reverted: () => migrator.repair({ action: 'reverted', name: first, reason: 'a test' }),
      applied: () => migrator.repair({ action: 'applied', name: first, reason: 'a test' }),
      baseline: async () => {
        await db.orm.em.execute('create table two (id int)');
        return migrator.baseline(second);
      },
      'down to nothing': () => migrator.down({ all: true }),
    };

    for (const [command, act] of Object.entries(run)) {
      await act();
      expect([command, await migrator.drift()]).toEqual([command, noDrift]);
    }
  });

  test('at any moment of a run', async () => {
    const db = await emptyDatabase();
    const runner = migratorOn(db, chain);
    await runner.up();
    const looking = migratorOn(db, chain);
    const found: SchemaDrift[] = [];

    const ended = new AbortController();
    const runs = (async () => {
      for (let time = 0; time < 6; time++) await runner.redo();
      ended.abort();
    })();
    while (!ended.signal.aborted) found.push(await looking.drift());
    await runs;

    expect(found.filter(({ differences }) => differences.length > 0)).toEqual([]);
    expect(found.length).toBeGreaterThan(6);
    expect(await looking.drift()).toEqual(noDrift);
  });

  test('in another chain, before and after it is known', async () => {
    const db = await emptyDatabase();
    const [orders, users] = [
      chainOn(db, 'log_orders', { [first]: { up: ['create table orders (id int)'] } }),
      chainOn(db, 'ops.log_users', {
        [first]: { up: ['create table users (id int)'] },
        [second]: { up: ['create table more (id int)'] },
      }),
    ];

    await orders.up();
    expect((await users.drift()).differences).toEqual([]);
    for (const to of [first, second]) {
      await users.up({ to });
      for (const one of [orders, users]) expect(await one.drift()).toEqual(noDrift);
    }
    await db.orm.em.execute('alter table users add name text');
    for (const one of [orders, users])
      expect(linesOf(await one.drift())).toEqual(['table users: column name: added']);
  });

  test('that failed: the steps before it count, and drift from before the run stays', async () => {
    const db = await emptyDatabase();
    const failing = { ...chain, [third]: { up: ['create table three (id int)', 'select 1 / 0'] } };
    await expect(migratorOn(db, failing).up()).rejects.toThrow(`${third} failed`);
    expect(await migratorOn(db, failing).drift()).toEqual(noDrift);
    await db.orm.em.execute('create table stray (id int)');

    await expect(migratorOn(db, failing).up()).rejects.toThrow(`${third} failed`);

    expect(linesOf(await migratorOn(db, failing).drift())).toEqual(['table stray: added']);
  });

  test('that stopped between two statements is unknown until it is finished', async () => {
    const db = await emptyDatabase();
    const stepwise = (last: string): Migrations => ({
      ...chain,
      [third]: {
        transactional: false,
        up: ['create table three (id int)', 'create index concurrently i on three (id)', last],
      },
    });
    await migratorOn(db, chain).up();
    await expect(migratorOn(db, stepwise('select 1 / 0')).up()).rejects.toThrow(`${third} failed`);

    expect(await migratorOn(db, stepwise('select 1')).drift()).toEqual({
      unknown: 'a migration is unfinished',
      differences: [],
    });
    await migratorOn(db, stepwise('select 1')).up();
    expect(await migratorOn(db, stepwise('select 1')).drift()).toEqual(noDrift);
  });
});

describe('is unknown', () => {
  test.each([
    [
      'before the first run',
      'drop schema migrator cascade; drop table mikro_orm_migrations, one',
      /no run has recorded/,
    ],
    ['after a run of an earlier version', 'drop table migrator.catalog', /no run has recorded/],
    ['after a run of another version', `update migrator.catalog set query = 'another'`, /another version/],
    [
      'after a run that was killed before it recorded the schema',
      `create table two (id int); insert into mikro_orm_migrations (name) values ('${second}');
       insert into migrator.history (chain, name, direction, outcome, started_at)
       select chain, '${second}', 'up', 'done', now() from migrator.history limit 1`,
      /not recorded after the last change/,
    ],
    [
      'where the first migration of a version with fewer columns ran',
      'drop table migrator.catalog; alter table migrator.history drop column chain, drop column text_digest; alter table migrator.progress drop column chain cascade',
      /no run has recorded/,
    ],
  ])('%s', async (_, sql, reason) => {
    const db = await migrated();
    await db.orm.em.execute(`create table stray (id int)`);
    await db.orm.em.execute(sql);
    const migrator = migratorOn(db, chain);

    expect(await migrator.drift()).toEqual({ unknown: expect.stringMatching(reason), differences: [] });
    await migrator.status();
    await migrator.up();
    if ((await migrator.drift()).unknown !== null) await migrator.redo();
    expect(await migrator.drift()).toEqual(noDrift);
  });

  test("after the ORM's own commands", async () => {
    const db = await migrated();
    const orm = ormOn(db, chain);
    await orm.migrator.up();

    expect(await new Migrator(orm).drift()).toEqual({
      unknown: 'the schema was not recorded after the last change',
      differences: [],
    });
    await new Migrator(orm).redo();
    expect(await new Migrator(orm).drift()).toEqual(noDrift);
  });

  test('while a view is locked', async () => {
    const db = await emptyDatabase();
    const migrator = migratorOn(db, {
      [first]: { up: ['create table one (id int)', 'create view v as select * from one'] },
    });
    await migrator.up();

    await db.orm.em.transactional(async (em) => {
      await em.execute('lock table one in access exclusive mode');
      expect((await migrator.drift()).differences).toEqual([]);
    });
    expect(await migrator.drift()).toEqual(noDrift);
  });

  test('to a role that may not read the record; another without further rights compares', async () => {
    const db = await migrated();
    const { name, url } = await createRole(db);
    await db.orm.em.execute('create table stray (id int); revoke create on schema public from public');
    const theirs = migratorOn({ url }, chain);

    expect(await theirs.drift()).toEqual({
      unknown: 'the role may not read what the last run recorded',
      differences: [],
    });
    await db.orm.em.execute(
      `grant usage on schema migrator to "${name}"; grant select on all tables in schema migrator to "${name}"; grant select on mikro_orm_migrations to "${name}"`,
    );
    const found = linesOf(await theirs.drift());
    expect(found).toContain('table stray: added');
  });
});

test('a role that may not create the table of the record migrates', async () => {
  const db = await emptyDatabase();
  await migratorOn(db, chain).up({ to: first });
  await db.orm.em.execute('drop table migrator.catalog');
  const { name, url } = await createRole(db);
  await db.orm.em.execute(
    `grant usage on schema migrator to "${name}"; grant all on all tables in schema migrator to "${name}";
     grant all on all sequences in schema migrator to "${name}"; grant create on schema public to "${name}";
     grant all on mikro_orm_migrations, mikro_orm_migrations_id_seq to "${name}"`,
  );

  expect(await migratorOn({ url }, chain).up()).toMatchObject([{ name: second }]);
  expect(await migratorOn({ url }, chain).drift()).toMatchObject({ differences: [] });
});

describe('up', () => {
  test('reports drift by an event, also where nothing is pending, and records the schema as it leaves it', async () => {
    const db = await emptyDatabase();
    await migratorOn(db, chain).up({ to: first });
    await db.orm.em.execute('alter table one add name text');
    const events: MigrationEvent[] = [];
    const migrator = migratorOn(db, chain, { onEvent: (event) => events.push(event) });
    const drift = {
      kind: 'drift',
      differences: [{ object: 'table one', part: 'column name', fact: null, expected: null, found: 'there' }],
    };

    await migrator.up({ to: first });
    expect(events).toEqual([drift]);
    await migrator.up();
    expect(events).toEqual([drift, drift, expect.anything(), expect.anything(), expect.anything()]);
    expect(await migrator.drift()).toEqual(noDrift);
  });

  test('refuses with refuseDrift, before the first statement', async () => {
    const db = await emptyDatabase();
    const migrator = migratorOn(db, chain);
    await migrator.up({ to: first, refuseDrift: true });
    await db.orm.em.execute('alter table one add name text');

    for (const act of [
      () => migrator.up({ refuseDrift: true }),
      () => migrator.planUp({ refuseDrift: true }),
    ])
      await expect(act()).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringMatching(/--refuse-drift.*\n {2}table one: column name: added$/s),
      });
    expect((await migrator.status()).map(({ condition }) => condition)).toEqual(['applied', 'pending']);
    await db.orm.em.execute('alter table one drop name');
    expect(await migrator.up({ refuseDrift: true })).toHaveLength(1);
  });
});

test.skipIf(whyNoPooler !== null)('works behind a pooler in transaction mode', async () => {
  const db = await emptyDatabase();
  await using pooler = await PgBouncer.start(db.target, { poolMode: 'transaction', serverConnections: 2 });
  const migrator = migratorOn({ url: pooler.url() }, chain);
  await migrator.up();
  await db.orm.em.execute('alter table one add name text');

  const found = await Promise.all(Array.from({ length: 8 }, () => migrator.drift()));

  expect(found.map(linesOf)).toEqual(found.map(() => ['table one: column name: added']));
  const [left] = await ormOn({ url: pooler.url() }, {}).em.execute<object[]>(
    `select current_setting('search_path') as path, current_setting('jit') as jit, current_setting('lock_timeout') as lock`,
  );
  const [fresh] = await db.orm.em.execute<object[]>(
    `select current_setting('search_path') as path, current_setting('jit') as jit, current_setting('lock_timeout') as lock`,
  );
  expect(left).toEqual(fresh);
});
