import { defineEntity, p, type MikroORM } from '@mikro-orm/postgresql';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Migrator } from 'mikro-orm-safe-migrations';
import { emptyDatabase, migratorOn, type TestDatabase } from '../kit/database.ts';
import { projectOn, type Migrations } from '../project.ts';
import { authors, books, byName, byTitle, prices, shop } from './books.ts';

const entities = [
  defineEntity({
    name: 'Book',
    tableName: 'books',
    properties: {
      id: p.integer().primary().autoincrement(false),
      title: p.text().nullable(),
      price: p.integer().nullable(),
    },
  }),
  defineEntity({
    name: 'Author',
    tableName: 'authors',
    properties: { id: p.integer().primary().autoincrement(false), name: p.text().nullable() },
  }),
];

/** Returns the ORM of the shop with its entities, which describe nothing that is optional. */
function shopOn({ url }: TestDatabase, migrations: Migrations = shop): MikroORM {
  const orm = projectOn(url, migrations, { entities });
  onTestFinished(() => orm.close(true));
  return orm;
}

const agreement = {
  agrees: true,
  migrations: [],
  unlisted: [],
  database: [],
  leftOut: [],
  entityDifferences: [],
  entities: [],
  replaced: [],
};

describe('check', () => {
  test.each([[[]], [[byTitle]], [[byName]], [[byTitle, byName]]])(
    'agrees with %j applied, and so does drift',
    async (optional) => {
      const db = await emptyDatabase();
      const migrator = new Migrator(shopOn(db));
      await migrator.up();
      await migrator.up({ optional });

      expect(await migrator.check()).toEqual(agreement);
      expect(await migrator.drift()).toEqual({ unknown: null, differences: [] });
    },
  );

  test('still finds what entities lack and optional migrations do not make', async () => {
    const db = await emptyDatabase();
    const extra = { ...shop[authors], up: [...shop[authors].up, 'create table orders (id int)'] };
    const migrator = new Migrator(shopOn(db, { ...shop, [authors]: extra }));
    await migrator.up({ optional: [byName] });

    const { agrees, entities: statements } = await migrator.check();

    expect(agrees).toBe(false);
    expect(statements).toEqual([expect.stringMatching(/^drop table .*"orders"/)]);
  });

  test('still finds what entities lack in a table that an optional migration changes', async () => {
    const db = await emptyDatabase();
    const extra = { ...shop[authors], up: [...shop[authors].up, 'alter table authors add age int'] };
    const comment = { ...shop[byName], up: [`comment on table authors is 'x'`] };
    const migrator = new Migrator(shopOn(db, { ...shop, [authors]: extra, [byName]: comment }));
    await migrator.up({ optional: [byName] });

    const { agrees, entities: statements } = await migrator.check();

    expect(agrees).toBe(false);
    expect(statements).toEqual([expect.stringContaining('drop column "age"')]);
  });

  test('still finds what an optional migration takes from the entities', async () => {
    const db = await emptyDatabase();
    const lossy = { ...shop[byName], up: ['alter table authors drop name'] };
    const migrator = new Migrator(shopOn(db, { ...shop, [byName]: lossy }));
    await migrator.up({ optional: [byName] });

    const { agrees, entityDifferences } = await migrator.check();

    expect(agrees).toBe(false);
    expect(entityDifferences).toMatchObject([{ object: 'table authors', part: 'column name', found: null }]);
  });

  test('names the baseline where the SQL of one was run by hand', async () => {
    const db = await emptyDatabase();
    const migrator = new Migrator(shopOn(db));
    await migrator.up();
    for (const sql of shop[byTitle].up) await db.orm.em.execute(sql);

    const { database } = await migrator.check();
    expect(database).toMatchObject([{ part: 'index books_by_title', remedy: `\`baseline ${byTitle}\`` }]);
    expect(await migrator.baseline(byTitle)).toEqual([byTitle]);

    expect(await migrator.check()).toEqual(agreement);
    await migrator.down({ optional: [byTitle] });
    expect(await migrator.check()).toEqual(agreement);
  });

  test('names none for what no optional migration makes', async () => {
    const db = await emptyDatabase();
    const migrator = new Migrator(shopOn(db));
    await migrator.up();
    await db.orm.em.execute('create index by_hand on books (title)');

    const { database } = await migrator.check();

    expect(database).toMatchObject([{ remedy: expect.stringMatching(/^drop it/) }]);
  });
});

/** A database with the schema of the shop and of these optional migrations, and no log. */
async function madeOtherwise(optional: readonly string[]): Promise<Migrator> {
  const db = await emptyDatabase();
  await migratorOn(db, shop).up({ optional });
  await db.orm.em.execute('drop schema migrator cascade; drop table mikro_orm_migrations');
  return new Migrator(shopOn(db));
}

describe('a baseline', () => {
  test('is named by up without the optional migrations that the schema lacks', async () => {
    const migrator = await madeOtherwise([]);

    await expect(migrator.up()).rejects.toThrow(`run \`baseline ${prices}\``);
  });

  test('leaves optional migrations out', async () => {
    const migrator = await madeOtherwise([]);

    expect(await migrator.baseline(prices)).toEqual([books, authors, prices]);
    expect(await migrator.check()).toEqual(agreement);
  });

  test('records those that are named', async () => {
    const migrator = await madeOtherwise([byTitle]);

    await expect(migrator.baseline(prices)).rejects.toThrow('index books_by_title: in the database');
    expect(await migrator.baseline(prices, { optional: [byTitle] })).toEqual([
      books,
      byTitle,
      authors,
      prices,
    ]);
    expect(await migrator.check()).toEqual(agreement);
  });

  test('of an optional migration does not go back over another', async () => {
    const db = await emptyDatabase();
    await migratorOn(db, { [authors]: shop[authors] }).up();

    await expect(migratorOn(db, shop).baseline(byTitle)).rejects.toThrow("a baseline can't go back");
  });
});
