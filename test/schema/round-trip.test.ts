import { describe, expect, onTestFinished, test } from 'vitest';
import { TestServer, type TestDatabase } from '../../src/testing/index.ts';
import { readCatalog } from '../../packages/migrator/src/catalog/catalog.ts';
import { readRows } from './contents.ts';
import { migrateDown, migrateUp } from './migrate.ts';
import { insertBareRows, insertFullRows } from './rows.ts';

const initialSchema = 'Migration20261121030000_initial_schema';
const rowVersions = 'Migration20261121030300_row_versions';
const versionEveryTable = 'Migration20261129163000_version_every_table';
const afterInitialSchema = [
  'Migration20261121030100_domain_checks',
  'Migration20261121030200_exploration_tree_rules',
  rowVersions,
  'Migration20261121030400_read_path_indexes',
  'Migration20261121030500_outcomes_by_synth',
  versionEveryTable,
];

async function emptyDatabase(): Promise<TestDatabase> {
  const db = await TestServer.shared().createEmptyDatabase();
  onTestFinished(() => db.drop());
  return db;
}

async function insertRows({ orm: { em } }: TestDatabase): Promise<void> {
  await insertBareRows(em);
  await insertFullRows(em);
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
    const { rows } = await contents(db);
    expect(Object.values(rows).map(({ length }) => length >= 2)).toEqual(Array(17).fill(true));

    for (const name of afterInitialSchema) {
      const before = await contents(db);
      await migrateUp(db.orm, name);
      const after = await contents(db);
      expect(after).not.toEqual(before);

      expect(await migrateDown(db.orm)).toBe(name);

      expect(await contents(db)).toEqual(before);
      await migrateUp(db.orm, name);
      expect(await contents(db)).toEqual(after);
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
