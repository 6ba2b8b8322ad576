import { describe, expect, onTestFinished, test } from 'vitest';
import { TestServer, type TestDatabase } from '../../src/testing/index.ts';
import { readCatalog } from '../../packages/migrator/src/catalog/catalog.ts';
import { readRows } from './contents.ts';
import { migrationChain } from './migration-chain.ts';
import { migrateDown, migrateUp } from './migrate.ts';
import { insertBareRows, insertFullRows } from './rows.ts';

const [initialSchema = '', ...afterInitialSchema] = migrationChain;
const rowVersions = 'Migration20261121030300_row_versions';
const versionEveryTable = 'Migration20261129163000_version_every_table';

async function emptyDatabase(): Promise<TestDatabase> {
  const db = await TestServer.shared().createEmptyDatabase();
  onTestFinished(() => db.drop());
  return db;
}

async function insertRows({ orm: { em } }: TestDatabase, only?: readonly string[]): Promise<void> {
  await insertBareRows(em, only);
  await insertFullRows(em, only);
}

async function emptyTables({ orm }: TestDatabase): Promise<string[]> {
  const rows = Object.entries(await readRows(orm.em));
  return rows.filter(([, { length }]) => length === 0).map(([table]) => table);
}

async function contents({ orm }: TestDatabase) {
  return { catalog: await readCatalog(orm), rows: await readRows(orm.em) };
}

describe('going down and up again', () => {
  test('initial_schema takes every row along, and comes back as it was', async () => {
    const db = await emptyDatabase();
    const before = await contents(db);
    await migrateUp(db.orm, initialSchema);
    const after = await contents(db);
    await insertRows(db);

    expect(await migrateDown(db.orm)).toBe(initialSchema);

    expect(await contents(db)).toEqual(before);
    await migrateUp(db.orm, initialSchema);
    expect(await contents(db)).toEqual(after);
  });

  test('each later migration leaves what was before and what was after, with rows in every table', async () => {
    const db = await emptyDatabase();
    await migrateUp(db.orm, initialSchema);
    await insertRows(db);

    for (const name of afterInitialSchema) {
      const before = await contents(db);
      expect(Object.entries(before.rows).filter(([, rows]) => rows.length < 2)).toEqual([]);
      await migrateUp(db.orm, name);
      const after = await contents(db);
      expect(after).not.toEqual(before);

      expect(await migrateDown(db.orm)).toBe(name);

      expect(await contents(db)).toEqual(before);
      await migrateUp(db.orm, name);
      expect(await contents(db)).toEqual(after);
      // Those that this migration made.
      await insertRows(db, await emptyTables(db));
    }
  });

  test.each([
    [rowVersions, ['experiments', 'interview_guide', 'experiment_documents', 'explorations']],
    [
      versionEveryTable,
      [
        'synth_groups',
        'synths',
        'analysis_runs',
        'synth_outcomes',
        'analysis_cache',
        'research_executions',
        'transcripts',
        'scenario_nodes',
        'chart_insights',
        'sensitivity_results',
        'region_analyses',
        'feature_scorecards',
        'simulation_runs',
      ],
    ],
  ])('%s loses the versions and starts them anew', async (migration, versioned) => {
    const db = await emptyDatabase();
    await migrateUp(db.orm, migration);
    await insertRows(db);
    for (const table of versioned) await db.orm.em.execute(`update ${table} set row_version = 7`);

    await migrateDown(db.orm);
    await migrateUp(db.orm);

    for (const table of versioned) {
      const versions = await db.orm.em.execute(`select distinct row_version from ${table}`);
      expect(versions).toEqual([{ row_version: 1 }]);
    }
  });
});
