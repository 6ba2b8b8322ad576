import { describe, expect, test } from 'vitest';
import { migrationGap, type Migrator } from 'mikro-orm-safe-migrations';
import { emptyDatabase, migratorOn, ormOn, type TestDatabase } from '../kit/database.ts';
import { conditionsOf } from '../three-tables.ts';
import { authors, books, byName, byTitle, prices, required, shop } from './books.ts';

const names = (runs: readonly { readonly name: string }[]): string[] => runs.map(({ name }) => name);

const indexes = async ({ orm: { em } }: TestDatabase): Promise<string[]> =>
  (
    await em.execute<{ name: string }[]>(
      `select indexname as name from pg_indexes where indexname ~ '_by_' order by 1`,
    )
  ).map(({ name }) => name);

async function migrated(): Promise<{ readonly db: TestDatabase; readonly migrator: Migrator }> {
  const db = await emptyDatabase();
  const migrator = migratorOn(db, shop);
  await migrator.up();
  return { db, migrator };
}

describe('up', () => {
  test('leaves optional migrations out, which nothing counts as pending', async () => {
    const db = await emptyDatabase();
    const migrator = migratorOn(db, shop);

    expect(names(await migrator.planUp())).toEqual(required);
    expect(names(await migrator.up())).toEqual(required);

    expect(await conditionsOf(migrator)).toEqual(['applied', 'optional', 'applied', 'optional', 'applied']);
    expect(await migrator.status()).toMatchObject([
      { name: books, optional: null },
      { name: byTitle, optional: 'finds books by their titles', appliedAt: null },
      { name: authors, optional: null },
      { name: byName, optional: 'finds authors by their names', appliedAt: null },
      { name: prices, optional: null },
    ]);
    expect(await migrationGap(ormOn(db, shop))).toEqual({ version: prices, pending: [], unknown: [] });
    expect(await migrator.up()).toEqual([]);
    expect(await indexes(db)).toEqual([]);
  });

  test.each([byTitle, '20260102', 'Migration20260102'])(
    'applies one that %s names, also after later ones',
    async (optional) => {
      const { db, migrator } = await migrated();

      expect(await migrator.planUp({ optional: [optional] })).toMatchObject([
        { name: byTitle, optional: 'finds books by their titles' },
      ]);
      expect(names(await migrator.up({ optional: [optional] }))).toEqual([byTitle]);

      expect(await indexes(db)).toEqual(['books_by_title']);
      expect(await conditionsOf(migrator)).toEqual(['applied', 'applied', 'applied', 'optional', 'applied']);
      expect(await migrator.up({ optional: [optional] })).toEqual([]);
      expect(await migrationGap(ormOn(db, shop))).toMatchObject({ pending: [], unknown: [] });
    },
  );

  test('applies what is pending before it, in the order of the code', async () => {
    const db = await emptyDatabase();

    expect(names(await migratorOn(db, shop).up({ optional: [byName, byTitle] }))).toEqual(Object.keys(shop));
  });

  test('applies one that `to` names, and no other', async () => {
    const db = await emptyDatabase();

    expect(names(await migratorOn(db, shop).up({ to: byName }))).toEqual([books, authors, byName]);
  });

  test('counts only the others as pending', async () => {
    const db = await emptyDatabase();

    expect(names(await migratorOn(db, shop).up({ to: '+2' }))).toEqual([books, authors]);
    expect(names(await migratorOn(db, shop).planUp({ from: authors }))).toEqual([prices]);
    expect(names(await migratorOn(db, shop).planUp({ from: authors, optional: [byTitle] }))).toEqual([
      byTitle,
      prices,
    ]);
  });

  test.each([
    ['an unknown name', { optional: ['by_titel'] }, `did you mean ${byTitle}?`],
    ['one that is not optional', { optional: [authors] }, `${authors} is not optional`],
    ['one after the last', { to: authors, optional: [byName] }, `${byName} comes after ${authors}`],
  ])('refuses %s', async (_, request, says) => {
    const db = await emptyDatabase();

    await expect(migratorOn(db, shop).up(request)).rejects.toThrow(says);
    expect(await conditionsOf(migratorOn(db, shop))).not.toContain('applied');
  });

  test('of older code finds nothing to do where a newer one is allowed, and applies no optional one', async () => {
    const { db } = await migrated();
    const { [prices]: _, ...older } = shop;
    const migrator = migratorOn(db, older);

    expect(await migrator.up({ allowAhead: true })).toEqual([]);
    for (const request of [{ optional: [byTitle] }, { to: byTitle }])
      await expect(migrator.up({ ...request, allowAhead: true })).rejects.toThrow(
        `${prices} is applied and newer`,
      );
  });

  test('resumes one that was interrupted without its name', async () => {
    const { db, migrator } = await migrated();
    const broken = {
      ...shop,
      [byTitle]: {
        ...shop[byTitle],
        transactional: false,
        up: [...shop[byTitle].up, 'create table blocked (id int)'],
      },
    };
    await db.orm.em.execute('create table blocked (id text)');
    await expect(migratorOn(db, broken).up({ optional: [byTitle] })).rejects.toThrow('blocked');
    await db.orm.em.execute('drop table blocked');
    expect(await conditionsOf(migrator)).toContain('unfinished');

    expect(names(await migratorOn(db, broken).up())).toEqual([byTitle]);
  });
});

describe('down', () => {
  test('reverts an optional migration that was applied last, and up does not apply it again', async () => {
    const { db, migrator } = await migrated();
    await migrator.up({ optional: [byTitle] });

    expect(names(await migrator.down())).toEqual([byTitle]);

    expect(await indexes(db)).toEqual([]);
    expect(await migrator.up()).toEqual([]);
  });

  test('reverts those that are named, also where others were applied after them', async () => {
    const db = await emptyDatabase();
    const migrator = migratorOn(db, shop);
    await migrator.up({ optional: [byTitle, byName] });

    expect(names(await migrator.planDown({ optional: ['20260102'] }))).toEqual([byTitle]);
    expect(names(await migrator.down({ optional: ['20260102'] }))).toEqual([byTitle]);
    expect(await conditionsOf(migrator)).toEqual(['applied', 'optional', 'applied', 'applied', 'applied']);
    await migrator.up({ optional: [byTitle] });

    // In reverse order of their application.
    expect(names(await migrator.down({ optional: [byName, byTitle] }))).toEqual([byTitle, byName]);
    expect(await migrator.check()).toMatchObject({ migrations: [], database: [] });
  });

  test('of all reverts them with the others; redo applies them again', async () => {
    const { migrator } = await migrated();
    await migrator.up({ optional: [byTitle] });

    expect(await migrator.redo()).toMatchObject([
      { name: byTitle, direction: 'down' },
      { name: byTitle, direction: 'up' },
    ]);
    expect(names(await migrator.down({ all: true }))).toEqual([byTitle, prices, authors, books]);
    expect(names(await migrator.up())).toEqual(required);
  });

  test('says which tables lose values', async () => {
    const db = await emptyDatabase();
    const migrator = migratorOn(db, shop);
    await migrator.up({ optional: [byName] });
    await db.orm.em.execute(`insert into authors (id, note) values (1, 'x'); insert into books values (1)`);

    expect(await migrator.lossesOfDown({ optional: [byName] })).toEqual({
      tables: ['authors'],
      unknown: null,
    });
  });

  test.each([
    ['one that is not applied', { optional: [byTitle] }, `${byTitle} is not applied`],
    ['one that is not optional', { optional: [books] }, `${books} is not optional`],
    ['a target besides', { optional: [byTitle], to: books }, 'pass only one of'],
  ])('refuses %s', async (_, request, says) => {
    const { migrator } = await migrated();

    await expect(migrator.down(request)).rejects.toThrow(says);
    expect(await conditionsOf(migrator)).toEqual(['applied', 'optional', 'applied', 'optional', 'applied']);
  });
});
