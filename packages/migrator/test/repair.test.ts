import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Migrator, type MigrationEvent, type RepairAction } from 'mikro-orm-safe-migrations';
import { emptyDatabase, migratorOn, type TestDatabase } from './kit/database.ts';
import { OutsideSession } from './kit/outside-session.ts';
import type { Migrations } from './project.ts';
import { projectOf, sourceOf } from './squash-project.ts';

const first = 'Migration1_first';
const second = 'Migration2_second';
const third = 'Migration3_third';
const all = {
  [first]: { up: ['create table first (id int)'], down: ['drop table first'] },
  [second]: { up: ['create table second (id int)'], down: ['drop table second'] },
  [third]: { up: ['create table third (id int)'], down: ['drop table third'] },
} satisfies Migrations;

const reason = 'for this test';

const invalid = ({ orm }: TestDatabase) =>
  orm.em.execute('select indexrelid::regclass::text as index from pg_index where not indisvalid');

const conditions = async (migrator: Migrator): Promise<string[]> =>
  (await migrator.status()).map(({ condition }) => condition);

/** Statements outside a transaction, of which the third is wrong. */
const halfway = (statement: string): Migrations => ({
  [first]: {
    up: ['create table one (id int)', 'create table two (id int)', statement, 'create table four (id int)'],
    down: ['drop table four', 'drop table two', 'drop table one'],
    transactional: false,
  },
});

async function stoppedAtThird(): Promise<TestDatabase> {
  const db = await emptyDatabase();
  await expect(migratorOn(db, halfway('create table one (id int)')).up()).rejects.toMatchObject({
    code: 'failed',
  });
  return db;
}

describe('an interrupted migration whose third statement is wrong', () => {
  test('goes on once that statement is corrected', async () => {
    const db = await stoppedAtThird();

    expect(await migratorOn(db, halfway('create table three (id int)')).up()).toMatchObject([
      { name: first },
    ]);
    expect(await db.orm.em.execute(`select to_regclass('four') is not null as four`)).toEqual([
      { four: true },
    ]);
  });

  test.each([
    ['the first', ['create table uno (id int)', 'create table two (id int)', 'select 1']],
    ['the second', ['create table one (id int)', 'create table dos (id int)', 'select 1']],
    ['the order', ['create table two (id int)', 'create table one (id int)', 'select 1']],
    ['the number', ['create table one (id int)']],
  ])('is refused when %s of those done was edited', async (_what, up) => {
    const db = await stoppedAtThird();

    await expect(migratorOn(db, { [first]: { up, transactional: false } }).up()).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(
        /which has been edited since: restore it; statements after it may be edited$/,
      ),
    });
  });

  test.each<[RepairAction, string[]]>([
    ['applied', ['applied']],
    ['reverted', ['pending']],
    ['abandon', ['pending']],
  ])('can be given up by %s', async (action, after) => {
    const db = await stoppedAtThird();
    const migrator = migratorOn(db, halfway('create table one (id int)'));

    await migrator.repair({ action, name: first, reason });

    expect(await conditions(migrator)).toEqual(after);
    expect(await db.orm.em.execute('select * from migrator.progress')).toEqual([]);
  });

  test('is shown, and can be forgotten, when its file was deleted', async () => {
    const db = await stoppedAtThird();
    const migrator = migratorOn(db, { [second]: all[second] });
    expect(await migrator.status()).toMatchObject([
      { name: first, condition: 'unfinished' },
      { name: second, condition: 'pending' },
    ]);
    await expect(migrator.up()).rejects.toThrow(`run \`repair abandon ${first}\``);

    await migrator.repair({ action: 'abandon', name: first, reason });

    expect(await migrator.up()).toMatchObject([{ name: second }]);
  });

  const index = 'create unique index concurrently doubled_id on doubled (id)';
  async function stoppedAtIndex(): Promise<TestDatabase> {
    const db = await emptyDatabase();
    await db.orm.em.execute('create table doubled as select 1 as id from generate_series(1, 2)');
    await expect(
      migratorOn(db, { [first]: { up: [index], transactional: false } }).up(),
    ).rejects.toMatchObject({ code: 'failed' });
    expect(await invalid(db)).toEqual([{ index: 'doubled_id' }]);
    return db;
  }

  const rewritten = (up: string[]): Migrations => ({ [first]: { up, transactional: false } });
  test.each<[string, Migrations]>([
    ['its file is as it was', rewritten([index])],
    ['its statement was removed', rewritten([])],
    ['its statement was rewritten', rewritten(['create index concurrently doubled_other on doubled (id)'])],
    ['another statement comes first', rewritten(['select 1', index])],
    ['it became transactional', { [first]: { up: ['create table other (id int)'] } }],
    ['its file was deleted', { [second]: all[second] }],
  ])('loses the INVALID index that it left, when %s', async (_, migrations) => {
    const db = await stoppedAtIndex();

    await migratorOn(db, migrations).repair({ action: 'abandon', name: first, reason });

    expect(await invalid(db)).toEqual([]);
  });

  test.each([
    ['edited', ['create index concurrently doubled_other on doubled (id)']],
    ['edited, to run in a transaction', ['create index doubled_id on doubled (id)']],
    ['removed', []],
  ])('loses the INVALID index of a statement that was %s since, as it goes on', async (_, up) => {
    const db = await stoppedAtIndex();

    expect(await migratorOn(db, rewritten(up)).up()).toMatchObject([{ name: first }]);

    expect(await invalid(db)).toEqual([]);
    const [found] = await db.orm.em.execute<{ count: number }[]>(
      `select count(*)::int as count from pg_index where indrelid = 'doubled'::regclass`,
    );
    expect(found?.count).toBe(up.length);
  });

  test.each([
    ['as it was', 'reindex table concurrently one'],
    ['rewritten', 'select 1'],
  ])('loses what reindexing left, when its file is %s', async (_, sql) => {
    const db = await emptyDatabase();
    await db.orm.em.execute('create table one (id int primary key)');
    const reindexing = (up: string): Migrations => ({
      [first]: { up: [up], transactional: false, lockTimeout: 200 },
    });
    const reading = await OutsideSession.holding(db, 'select * from one');
    await expect(migratorOn(db, reindexing('reindex table concurrently one')).up()).rejects.toMatchObject({
      code: 'failed',
    });
    await reading[Symbol.asyncDispose]();
    expect(await invalid(db)).toHaveLength(1);

    await migratorOn(db, reindexing(sql)).repair({ action: 'abandon', name: first, reason });

    expect(await invalid(db)).toEqual([]);
  });
});

async function migratedTo(name: string, migrations: Migrations = all): Promise<[TestDatabase, Migrator]> {
  const db = await emptyDatabase();
  await migratorOn(db, all).up({ to: name });
  return [db, migratorOn(db, migrations)];
}

describe('repair', () => {
  test('accepts an edited file, and refuses it when it is edited again', async () => {
    const edited = (type: string) => ({ ...all, [first]: { up: [`create table first (id ${type})`] } });
    const [db, migrator] = await migratedTo(second, edited('bigint'));
    await expect(migrator.up()).rejects.toThrow(`${first} was edited after it was applied`);

    await migrator.repair({ action: 'accept', name: first, reason });

    expect(await migrator.up()).toMatchObject([{ name: third }]);
    await expect(migratorOn(db, edited('text')).up()).rejects.toThrow(`${first} was edited`);
    await expect(migratorOn(db, all).up()).rejects.toThrow(`${first} was edited`);
  });

  const made = ['create table made (id int)'];
  test.each<[string, string | readonly string[], (source: string) => string]>([
    [
      'queries the database',
      "await this.execute('create table made (id int)');",
      (source) => `// Reformatted.\n${source}`,
    ],
    ['reads what it sends', made, (source) => source.replace('this.addSql', 'void this.ctx; this.addSql')],
    ['throws today', made, (source) => source.replace('this.addSql', `throw new Error('gone'); this.addSql`)],
    ['can not be loaded', made, (source) => `import 'a-package-that-is-gone';\n${source}`],
    ['has invalid syntax', made, (source) => `${source}}`],
  ])('accepts another text of an applied file that %s: status shows it as edited', async (_, up, edit) => {
    const db = await emptyDatabase();
    await new Migrator((await projectOf(db, { first: { up } })).open()).up();
    // In another directory, because a process loads a file once.
    const { path, names, open } = await projectOf(db, { first: { up } });
    const [name = ''] = names;
    await writeFile(join(path, `${name}.ts`), edit(sourceOf(name, { up })));
    const migrator = new Migrator(open());
    expect(await migrator.up()).toEqual([]);
    expect(await conditions(migrator)).toEqual(['edited']);

    await migrator.repair({ action: 'accept', name, reason });

    expect(await conditions(migrator)).toEqual(['applied']);
    await expect(migrator.repair({ action: 'accept', name, reason })).rejects.toThrow('is not edited');
  });

  test('reports what else was changed since the last run, because it records the schema', async () => {
    const [db] = await migratedTo(first);
    await db.orm.em.execute('create table second (id int); create table stray (id int)');
    const events: MigrationEvent[] = [];
    const migrator = migratorOn(db, all, { onEvent: (event) => events.push(event) });

    await migrator.repair({ action: 'applied', name: second, reason });

    expect(events).toEqual([
      {
        kind: 'drift',
        differences: [
          expect.objectContaining({ object: 'table second', found: 'there' }),
          expect.objectContaining({ object: 'table stray', found: 'there' }),
        ],
      },
    ]);
    expect(await migrator.drift()).toEqual({ unknown: null, differences: [] });
  });

  test('forgets a deleted file', async () => {
    const { [second]: _, ...others } = all;
    const [, migrator] = await migratedTo(third, others);
    await expect(migrator.up()).rejects.toThrow(`or \`repair forget\` it`);

    await migrator.repair({ action: 'forget', name: second, reason });

    expect(await migrator.up()).toEqual([]);
    expect(await conditions(migrator)).toEqual(['applied', 'applied']);
    expect(await migrator.redo()).toHaveLength(2);
    expect(await migrator.up()).toEqual([]);
  });

  test('records what was done by hand, with who and why', async () => {
    const [db, migrator] = await migratedTo(first);
    await migrator.repair({ action: 'applied', name: second, reason: 'ran the SQL by hand' });
    await migrator.repair({ action: 'reverted', name: first, reason });

    expect(await conditions(migrator)).toEqual(['late', 'applied', 'pending']);
    expect(await migrator.history({ limit: 2 })).toMatchObject([
      { name: first, action: 'reverted', outcome: 'done', note: reason, by: expect.stringContaining('@') },
      { name: second, action: 'applied', outcome: 'done', note: 'ran the SQL by hand' },
    ]);
    expect(await db.orm.em.execute('select name from mikro_orm_migrations')).toEqual([{ name: second }]);
  });

  test.each<[RepairAction, string, string]>([
    ['applied', first, 'is applied already'],
    ['reverted', third, 'is neither applied nor unfinished'],
    ['abandon', first, 'is not unfinished'],
    ['accept', first, 'is not edited'],
    ['forget', first, 'has a file'],
    ['applied', 'Migration4_nowhere', 'there is no migration "Migration4_nowhere"'],
  ])('refuses %s of %s', async (action, name, says) => {
    const [db, migrator] = await migratedTo(first);
    const before = await db.orm.em.execute('select * from migrator.history');

    await expect(migrator.repair({ action, name, reason })).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining(says),
    });
    expect(await db.orm.em.execute('select * from migrator.history')).toEqual(before);
  });

  test('needs a reason', async () => {
    const [, migrator] = await migratedTo(first);

    await expect(migrator.repair({ action: 'reverted', name: first, reason: ' ' })).rejects.toThrow(
      'needs a reason',
    );
  });
});

describe('older code on a database that newer code has migrated', () => {
  const { [third]: _, ...older } = all;

  test('finds nothing to do where that is allowed', async () => {
    const db = await emptyDatabase();
    await migratorOn(db, all).up();

    await expect(migratorOn(db, older).up()).rejects.toThrow(`${third} is applied and newer than this code`);
    expect(await migratorOn(db, older).up({ allowAhead: true })).toEqual([]);
    expect(await conditions(migratorOn(db, older))).toEqual(['applied', 'applied', 'ahead']);
  });

  test('applies nothing of its own', async () => {
    const db = await emptyDatabase();
    await migratorOn(db, { [first]: all[first], [third]: all[third] }).up();

    await expect(migratorOn(db, older).up({ allowAhead: true, allowOutOfOrder: true })).rejects.toMatchObject(
      {
        code: 'refused',
      },
    );
  });
});

const names = (runs: { name: string }[]): string[] => runs.map(({ name }) => name);

describe('a target', () => {
  test.each([
    ['+1', [first]],
    ['+2', [first, second]],
    ['Migration2', [first, second]],
    ['2_second', [first, second]],
    [second, [first, second]],
  ])('of up may be %s', async (to, applied) => {
    expect(names(await migratorOn(await emptyDatabase(), all).up({ to }))).toEqual(applied);
  });

  test.each([
    ['-1', [third]],
    ['-2', [third, second]],
    ['1_first', [third, second]],
  ])('of down may be %s', async (to, reverted) => {
    const migrator = migratorOn(await emptyDatabase(), all);
    await migrator.up();

    expect(names(await migrator.down({ to }))).toEqual(reverted);
  });

  test.each([
    ['up', '+4', '+4 is no target: 3 migrations are pending'],
    ['up', '+0', '+0 is no target: 3 migrations are pending'],
    ['up', 'Migration', '"Migration" is the beginning of 3 migrations'],
    ['down', '-3', '-3 is no target: 0 migrations are applied; `all` reverts every one'],
    ['down', '-0', '-0 is no target'],
  ] as const)('of %s is refused for %s', async (direction, to, says) => {
    await expect(migratorOn(await emptyDatabase(), all)[direction]({ to })).rejects.toThrow(says);
  });
});
