import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Migrator, type MigrationEvent, type RepairAction } from 'mikro-orm-safe-migrations';
import { emptyDatabase, migratorOn, type TestDatabase } from './kit/database.ts';
import { OutsideSession } from './kit/outside-session.ts';
import type { Migrations } from './project.ts';
import { projectOf, sourceOf } from './squash-project.ts';
import { conditionsOf, first, second, third, threeTables } from './three-tables.ts';

const reason = 'for this test';

const invalid = ({ orm }: TestDatabase) =>
  orm.em.execute('select indexrelid::regclass::text as index from pg_index where not indisvalid');

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

// The migrator counts rows that are there before a run, and refuses it.
const doubling = 'insert into doubled values (1)';

const rewritten = (up: string[]): Migrations => ({
  [first]: { up: [doubling, ...up], transactional: false },
});

const reindexing = (up: string): Migrations => ({
  [first]: { up: [up], transactional: false, lockTimeout: 200 },
});

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

    expect(await conditionsOf(migrator)).toEqual(after);
    expect(await db.orm.em.execute('select * from migrator.progress')).toEqual([]);
  });

  test('is shown, and can be forgotten, when its file was deleted', async () => {
    const db = await stoppedAtThird();
    const migrator = migratorOn(db, { [second]: threeTables[second] });
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
    await db.orm.em.execute('create table doubled as select 1 as id');
    await expect(migratorOn(db, rewritten([index])).up()).rejects.toMatchObject({ code: 'failed' });
    expect(await invalid(db)).toEqual([{ index: 'doubled_id' }]);
    return db;
  }

  test.each<[string, Migrations]>([
    ['its file is as it was', rewritten([index])],
    ['its statement was removed', rewritten([])],
    ['its statement was rewritten', rewritten(['create index concurrently doubled_other on doubled (id)'])],
    ['another statement comes first', rewritten(['select 1', index])],
    ['it became transactional', { [first]: { up: ['create table other (id int)'] } }],
    ['its file was deleted', { [second]: threeTables[second] }],
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

async function migratedTo(
  name: string,
  migrations: Migrations = threeTables,
): Promise<[TestDatabase, Migrator]> {
  const db = await emptyDatabase();
  await migratorOn(db, threeTables).up({ to: name });
  return [db, migratorOn(db, migrations)];
}

/** The first migration with a key of another type. */
const edited = (type: string): Migrations => ({
  ...threeTables,
  [first]: { up: [`create table first (id ${type})`] },
});

describe('repair', () => {
  test('accepts an edited file, and refuses it when it is edited again', async () => {
    const [db, migrator] = await migratedTo(second, edited('bigint'));
    await expect(migrator.up()).rejects.toThrow(`${first} was edited after it was applied`);

    await migrator.repair({ action: 'accept', name: first, reason });

    expect(await migrator.up()).toMatchObject([{ name: third }]);
    await expect(migratorOn(db, edited('text')).up()).rejects.toThrow(`${first} was edited`);
    await expect(migratorOn(db, threeTables).up()).rejects.toThrow(`${first} was edited`);
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
    expect(await conditionsOf(migrator)).toEqual(['edited']);

    await migrator.repair({ action: 'accept', name, reason });

    expect(await conditionsOf(migrator)).toEqual(['applied']);
    await expect(migrator.repair({ action: 'accept', name, reason })).rejects.toThrow('is not edited');
  });

  test('reports what else was changed since the last run, because it records the schema', async () => {
    const [db] = await migratedTo(first);
    await db.orm.em.execute('create table second (id int); create table stray (id int)');
    const events: MigrationEvent[] = [];
    const migrator = migratorOn(db, threeTables, { onEvent: (event) => events.push(event) });

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
    const { [second]: _, ...others } = threeTables;
    const [, migrator] = await migratedTo(third, others);
    await expect(migrator.up()).rejects.toThrow(`or \`repair forget\` it`);

    await migrator.repair({ action: 'forget', name: second, reason });

    expect(await migrator.up()).toEqual([]);
    expect(await conditionsOf(migrator)).toEqual(['applied', 'applied']);
    expect(await migrator.redo()).toHaveLength(2);
    expect(await migrator.up()).toEqual([]);
  });

  test('records what was done by hand, with who and why', async () => {
    const [db, migrator] = await migratedTo(first);
    await migrator.repair({ action: 'applied', name: second, reason: 'ran the SQL by hand' });
    await migrator.repair({ action: 'reverted', name: first, reason });

    expect(await conditionsOf(migrator)).toEqual(['late', 'applied', 'pending']);
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
