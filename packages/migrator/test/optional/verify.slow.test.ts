import { describe, expect, test } from 'vitest';
import { emptyDatabase, migratorOn } from '../kit/database.ts';
import type { Migrations } from '../project.ts';
import { authors, books, byName, byTitle, prices, required, shop } from './books.ts';

const certified = async (chain: Migrations, migrations?: readonly string[]) => {
  const db = await emptyDatabase();
  const certificates = await migratorOn(db, chain).verify({ migrations });
  return certificates.map(({ migration, certificate, failures }) => [migration, certificate, failures]);
};

describe('verify', () => {
  test('certifies optional migrations at their places and after the others, and in the whole chain', async () => {
    expect(await certified(shop)).toEqual([
      [books, 'lossy as declared', []],
      [byTitle, 'lossless', []],
      [authors, 'lossy as declared', []],
      [byName, 'lossy as declared', []],
      [prices, 'lossy as declared', []],
      ['the whole chain', 'lossy as declared', []],
    ]);
  });

  test('finds one that fails after the others only', async () => {
    const chain = {
      ...shop,
      [prices]: {
        up: ['alter table books rename title to name'],
        down: ['alter table books rename name to title'],
      },
    };

    expect(await certified(chain, [byTitle, prices])).toEqual([
      [
        byTitle,
        'failed',
        [expect.stringMatching(/^after all others: up fails without rows: column "title" does not exist/)],
      ],
      [prices, 'lossless', []],
    ]);
  });

  test('finds one of the others that needs an optional one', async () => {
    const chain = { ...shop, [prices]: { up: ['drop index books_by_title'] } };

    expect(await certified(chain, [prices])).toEqual([
      [prices, 'failed', [expect.stringContaining('index "books_by_title" does not exist')]],
    ]);
  });

  test('verifies the others where the server can not take one', async () => {
    const chain = {
      ...shop,
      [byTitle]: { optional: 'x', up: ['create extension no_such_extension; select no_such()'] },
    };

    const found = await certified(chain, [byTitle, authors]);

    expect(found.map(([name, certificate]) => [name, certificate])).toEqual([
      [byTitle, 'failed'],
      [authors, 'lossy as declared'],
    ]);
  });

  test('leaves them out of those that are pending', async () => {
    const db = await emptyDatabase();
    const certificates = await migratorOn(db, shop).verify({ migrations: 'pending' });
    expect(certificates.map(({ migration }) => migration)).toEqual(required);
  });
});

describe('lint', () => {
  test('leaves out optional migrations that are neither applied nor named', async () => {
    const db = await emptyDatabase();
    const migrator = migratorOn(db, shop);
    const linted = async (migrations?: readonly string[] | 'all') =>
      (await migrator.lint({ migrations })).migrations;

    expect(await linted()).toEqual(required);
    expect(await linted([byName])).toEqual([byName]);
    expect(await linted('all')).toEqual(Object.keys(shop));
  });

  test('finds what one blocks', async () => {
    const db = await emptyDatabase();

    const { findings } = await migratorOn(db, shop).lint({ migrations: [byTitle], rows: 10 });

    expect(findings.map(({ direction, rule, measured }) => [direction, rule, measured?.rows])).toEqual([
      ['up', 'create-index', 10],
      ['down', 'drop-index', 10],
    ]);
  });
});

describe('a forecast', () => {
  test('says how long one takes in each direction, also where it is not the last', async () => {
    const db = await emptyDatabase();
    const migrator = migratorOn(db, shop);
    await migrator.up();
    await db.orm.em.execute(
      `insert into books select i, 'title ' || i from generate_series(1, 2000) i; analyze`,
    );

    const up = await migrator.forecast(await migrator.planUp({ optional: [byTitle] }));
    await migrator.up({ optional: [byTitle, byName] });
    const down = await migrator.forecast(await migrator.planDown({ optional: [byTitle] }));

    expect(up).toMatchObject([
      { migration: byTitle, direction: 'up', unknown: null, tables: [{ table: 'books' }] },
    ]);
    expect(down).toMatchObject([{ migration: byTitle, direction: 'down', unknown: null }]);
    expect(down[0]?.statements.map(({ sql }) => sql)).toEqual(['drop index books_by_title']);
  });
});

describe('verify under traffic', () => {
  test('serves requests while an optional migration is applied and reverted', async () => {
    const db = await emptyDatabase();
    const concurrent = {
      ...shop,
      [byTitle]: {
        optional: 'x',
        transactional: false,
        up: ['create index concurrently books_by_title on books (title)'],
        down: ['drop index concurrently books_by_title'],
      },
    };

    const [certificate] = await migratorOn(db, concurrent).verify({ migrations: [byTitle], traffic: true });

    expect(certificate).toMatchObject({ certificate: 'lossless', traffic: { failures: [] } });
  });
});
