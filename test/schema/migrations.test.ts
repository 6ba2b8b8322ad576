import { describe, expect, onTestFinished, test } from 'vitest';
import { migrationGap } from 'mikro-orm-safe-migrations';
import { TestDatabase, TestServer } from '../../src/testing/index.ts';
import { readCatalog } from '../../packages/migrator/src/catalog/catalog.ts';
import { migrationChain } from './migration-chain.ts';
import { logTable } from './contents.ts';
import { migrateDown, migrateUp } from './migrate.ts';

async function emptyDatabase(): Promise<TestDatabase> {
  const db = await TestServer.shared().createEmptyDatabase();
  onTestFinished(() => db.drop());
  return db;
}

describe('the chain of migrations', () => {
  test('is the one that is documented, in this order', async () => {
    const db = await emptyDatabase();

    expect(await migrationGap(db.orm)).toEqual({ version: null, pending: migrationChain, unknown: [] });
  });

  test('makes exactly the schema that the entities describe', async () => {
    const [migrated, described] = [await TestDatabase.create(), await emptyDatabase()];
    onTestFinished(() => migrated.drop());

    await described.orm.schema.create();

    expect(await readCatalog(migrated.orm)).toEqual(await readCatalog(described.orm));
  });

  test('leaves the ORM nothing to change', async () => {
    const migrated = await TestDatabase.create();
    onTestFinished(() => migrated.drop());

    expect(await migrated.orm.schema.getUpdateSchemaSQL()).toBe('');
  });

  test('taken back to its beginning leaves nothing but its log, and comes up again', async () => {
    const db = await emptyDatabase();
    const nothing = await readCatalog(db.orm);
    await migrateUp(db.orm);
    const everything = await readCatalog(db.orm);

    for (const name of migrationChain.toReversed()) expect(await migrateDown(db.orm)).toBe(name);

    expect(await migrateDown(db.orm)).toBeNull();
    expect(await readCatalog(db.orm)).toEqual(nothing);
    expect(await db.orm.em.execute(`select tablename from pg_tables where schemaname = 'public'`)).toEqual([
      { tablename: logTable },
    ]);
    expect(await migrateUp(db.orm)).toEqual(migrationChain);
    expect(await readCatalog(db.orm)).toEqual(everything);
  });
});
