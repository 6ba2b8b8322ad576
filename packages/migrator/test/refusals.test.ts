import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Migrator, type MigratorOptions } from 'mikro-orm-safe-migrations';
import { emptyDatabase, migratorOn, ormOn, type TestDatabase } from './kit/database.ts';
import { all, first, fourth, migrated, refusal, second, third, without } from './chain.ts';
import type { Migrations } from './project.ts';

describe('refuses a request without changing the database', () => {
  let db: TestDatabase;
  beforeAll(async () => void (db = await migrated()));
  afterAll(() => db.drop());

  test.each([
    ['Migration20260102000000_secnod', `did you mean ${second}?`],
    ['SECOND', `did you mean ${second}?`],
    ['', '`status` lists them'],
    ['nothing like it', '`status` lists them'],
    [fourth, `${fourth} is not applied; choose a target that is`],
  ])('going down to %j', async (to, says) => {
    expect(await refusal(db, () => migratorOn(db, all).down({ to }))).toContain(says);
  });

  test.each([
    ['fuorth', `there is no migration "fuorth": did you mean ${fourth}?`],
    [`${fourth}.ts`, `did you mean ${fourth}?`],
    ['2', 'there is no migration "2": `status` lists them'],
  ])('going up to %j', async (to, says) => {
    expect(await refusal(db, () => migratorOn(db, all).up({ to }))).toContain(says);
  });

  test.each([0, -1, 1.5, Number.NaN, Infinity])('going down %d steps', async (steps) => {
    expect(await refusal(db, () => migratorOn(db, all).down({ steps }))).toBe(
      `steps: ${steps} is not a number of migrations; use a whole number from 1`,
    );
  });

  test.each([
    { to: first, steps: 1 },
    { to: first, all: true },
    { steps: 1, all: true },
  ])('going down by %o', async (request) => {
    expect(await refusal(db, () => migratorOn(db, all).down(request))).toContain('pass only one of');
  });

  test.each<MigratorOptions>([
    { lockWait: Number.NaN },
    { lockTimeout: -1 },
    { statementTimeout: Number.NaN },
    { lockRetry: -5 },
    { lease: -1 },
    { lockTimeout: Infinity },
    { statementTimeout: 0.5 },
    { schema: 'a"b' },
  ])('with %o', async (options) => {
    const [name = ''] = Object.keys(options);

    expect(await refusal(db, async () => migratorOn(db, all, options).up())).toMatch(
      name === 'schema'
        ? /^the migrator's schema can't be named "a\\"b"/
        : new RegExp(`^${name}: \\S+ is not a time in milliseconds`),
    );
  });

  test.each(['commit', 'end'])('a migration that ends its own transaction by %s', async (word) => {
    const up = ['create table fourth (id int)', `create table fifth (id int); ${word}`];

    expect(await refusal(db, () => migratorOn(db, { ...without(fourth), [fourth]: { up } }).up())).toContain(
      `${fourth} sends "${word}", but the migrator begins and ends its transactions`,
    );
  });

  test.each([
    [`select E'\\''; commit; select ''`, 'commit'],
    ['select $a$ $$ $a$ /* /* */ */; Rollback', 'Rollback'],
  ])('a migration that ends its own transaction within %s', async (sql, command) => {
    const migrations = { ...without(fourth), [fourth]: { up: [sql] } };

    expect(await refusal(db, () => migratorOn(db, migrations).up())).toContain(
      `${fourth} sends "${command}", but the migrator begins and ends its transactions: remove that statement`,
    );
  });

  test("reverting a migration that can't be reverted, or one before it", async () => {
    const fresh = await emptyDatabase();
    const migrations = { ...all, [second]: { ...all[second], down: null } };
    await migratorOn(fresh, migrations).up({ to: third });

    expect(await refusal(fresh, () => migratorOn(fresh, migrations).down({ all: true }))).toBe(
      `${second} can't be reverted; its \`down\` throws "This migration cannot be reverted"; restore a backup, or write a new migration`,
    );
  });

  test('a redo when nothing is applied', async () => {
    const fresh = await emptyDatabase();

    await expect(migratorOn(fresh, all).redo()).rejects.toThrow('no migration is applied: run `up` first');
  });
});

// Each with the problem and the message.
const states: [what: string, Migrations, prepare: string | null, says: string][] = [
  [
    'an applied file whose up was changed',
    { ...all, [second]: { up: ['create table second (id bigint)'], down: all[second].down } },
    null,
    `${second} was edited after it was applied: restore the file, and write a new migration for the change`,
  ],
  [
    'a missing applied file',
    without(second),
    null,
    `${second} is applied, but its file is missing: restore the file, or run the code that has it`,
  ],
  [
    'a database that is newer than the code',
    without(third, fourth),
    null,
    `${third} is applied and newer than this code: deploy the code that has it`,
  ],
  [
    'a migration in the log twice, with and without its extension',
    all,
    `insert into mikro_orm_migrations (name) values ('${second}.ts')`,
    `${second} has several rows in the log: find out why it was applied twice, then delete all but one`,
  ],
];

describe('refuses a state without changing the database', () => {
  let db: TestDatabase;
  beforeAll(async () => void (db = await migrated()));
  afterAll(() => db.drop());

  describe.each(states)('%s', (_, migrations, prepare, says) => {
    let found: TestDatabase;
    beforeAll(async () => {
      found = await migrated();
      if (prepare !== null) await found.orm.em.execute(prepare);
    });
    afterAll(() => found.drop());

    test.each(['up', 'down', 'redo'] as const)('going %s', async (direction) => {
      expect(await refusal(found, () => migratorOn(found, migrations)[direction]())).toContain(says);
    });
  });

  test('a file that is older than applied ones, unless it is allowed', async () => {
    const fresh = await emptyDatabase();
    await migratorOn(fresh, without(second, fourth)).up();
    const migrator = migratorOn(fresh, all);

    const says = await refusal(fresh, () => migrator.up());

    expect(says).toBe(
      `${second} is older than applied migrations: rename it to be the newest, or pass --allow-out-of-order (allowOutOfOrder)`,
    );
    await migrator.up({ allowOutOfOrder: true });
    expect(
      await fresh.orm.em.execute('select name, note from migrator.history where note is not null'),
    ).toEqual([{ name: second, note: 'out of order' }]);
    expect((await migrator.status()).map(({ condition }) => condition)).toEqual(Array(4).fill('applied'));
  });

  test('a database that is ahead, without reporting older migrations of the code as late', async () => {
    const fresh = await emptyDatabase();
    await migratorOn(fresh, without(third)).up();
    const behind = migratorOn(fresh, without(fourth));

    expect((await behind.status()).map(({ condition }) => condition)).toEqual([
      'applied',
      'applied',
      'pending',
      'ahead',
    ]);
    expect(await refusal(fresh, () => behind.up())).toBe(
      `${fourth} is applied and newer than this code: deploy the code that has it`,
    );
    expect(await behind.check()).toMatchObject({ agrees: false, database: null });
  });

  test('all problems, one per line', async () => {
    const says = await refusal(db, () =>
      migratorOn(db, { ...without(second), [first]: { up: ['select 1'] } }).up(),
    );

    expect(says.split('\n').map((line) => line.split(' ')[0])).toEqual([first, second]);
  });

  test("a class that can't be loaded, by its name", async () => {
    const broken = { up: ['create table fifth (id int)'], isTransactional: null };

    expect(await refusal(db, () => migratorOn(db, { ...all, Migration5_broken: broken }).up())).toMatch(
      /^Migration5_broken can't be loaded: /,
    );
  });

  test('`migrations.schema`', () => {
    const orm = ormOn(db, all, { migrations: { schema: 'tenant' } });

    expect(() => new Migrator(orm)).toThrow('qualify names in the migrations with the schema instead');
  });
});

test(`runs a migration with E'it\\'s; commit now' in it`, async () => {
  const db = await emptyDatabase();
  const up = ['create table quotes (t text)', `insert into quotes values (E'it\\'s; commit now')`];

  await migratorOn(db, { [first]: { up } }).up();

  expect(await db.orm.em.execute('select t from quotes')).toEqual([{ t: `it's; commit now` }]);
});

describe('accepts a log without differences', () => {
  let db: TestDatabase;
  beforeAll(async () => void (db = await migrated()));
  afterAll(() => db.drop());

  test('whitespace around a statement', async () => {
    const reformatted = { up: ['\n  create table second (id int)\n'], down: all[second].down };

    expect(await migratorOn(db, { ...all, [second]: reformatted }).up()).toHaveLength(1);
  });

  test.each(['.js', '.ts'])('a name in the log with its extension %s', async (extension) => {
    await db.orm.em.execute('update mikro_orm_migrations set name = ? where name = ?', [
      third + extension,
      third,
    ]);

    const migrator = migratorOn(db, all);
    await migrator.up();

    expect((await migrator.down({ to: second })).map(({ name }) => name)).toEqual([fourth, third]);
    expect(await db.orm.em.execute('select name from mikro_orm_migrations order by id')).toEqual([
      { name: first },
      { name: second },
    ]);
    expect((await migrator.up()).map(({ name }) => name)).toEqual([third, fourth]);
  });
});
