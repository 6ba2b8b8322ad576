import { describe, expect, onTestFinished, test } from 'vitest';
import { migrateDown, migrateUp } from '../../src/migrator/index.ts';
import { TestServer, type TestDatabase } from '../../src/testing/index.ts';
import { readCatalog, readRows } from './catalog.ts';
import { insertBareRows, insertFullRows } from './rows.ts';

async function databaseAt(migration: string): Promise<TestDatabase> {
  const db = await TestServer.shared().createEmptyDatabase();
  onTestFinished(() => db.drop());
  await db.orm.migrator.up({ to: migration });
  return db;
}

async function insertRows({ orm: { em } }: TestDatabase): Promise<void> {
  await insertBareRows(em);
  await insertFullRows(em);
}

async function contents({ orm: { em } }: TestDatabase) {
  return { catalog: await readCatalog(em), rows: await readRows(em) };
}

describe('a migration, with rows in every table, goes down to what was before and up to what was after', () => {
  test('initial_schema, which takes every row along', async () => {
    const db = await TestServer.shared().createEmptyDatabase();
    onTestFinished(() => db.drop());
    const before = await contents(db);
    const name = 'Migration20261121030000_initial_schema';
    await db.orm.migrator.up({ to: name });
    const after = await contents(db);
    await insertRows(db);

    expect(await migrateDown(db.orm)).toBe(name);

    expect(await contents(db)).toEqual(before);
    await db.orm.migrator.up({ to: name });
    expect(await contents(db)).toEqual(after);
  });

  test.each([
    ['Migration20261121030000_initial_schema', 'Migration20261121030100_domain_checks'],
    ['Migration20261121030100_domain_checks', 'Migration20261121030200_exploration_tree_rules'],
    ['Migration20261121030200_exploration_tree_rules', 'Migration20261121030300_row_versions'],
    ['Migration20261121030300_row_versions', 'Migration20261121030400_read_path_indexes'],
  ])('from %s up to %s', async (previous, name) => {
    const db = await databaseAt(previous);
    await insertRows(db);
    const before = await contents(db);
    await db.orm.migrator.up({ to: name });
    const after = await contents(db);

    expect(await migrateDown(db.orm)).toBe(name);

    expect(await contents(db)).toEqual(before);
    await db.orm.migrator.up({ to: name });
    expect(await contents(db)).toEqual(after);
    expect(Object.values(after.rows).map((rows) => rows.length >= 2)).toEqual(Array(17).fill(true));
  });

  test('row_versions, which loses the versions and starts them anew', async () => {
    const db = await databaseAt('Migration20261121030300_row_versions');
    await insertRows(db);
    const versioned = ['experiments', 'interview_guide', 'experiment_documents', 'explorations'];
    for (const table of versioned) await db.orm.em.execute(`update ${table} set row_version = 7`);

    await migrateDown(db.orm);
    await migrateUp(db.orm);

    for (const table of versioned) {
      const versions = await db.orm.em.execute(`select distinct row_version from ${table}`);
      expect(versions).toEqual([{ row_version: 1 }]);
    }
  });
});
