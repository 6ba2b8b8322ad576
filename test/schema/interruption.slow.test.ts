import type { MikroORM } from '@mikro-orm/postgresql';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { migrationGap } from 'mikro-orm-safe-migrations';
import { TestDatabase, TestServer } from '../../src/testing/index.ts';
import { readCatalog, type Catalog } from '../../packages/migrator/src/catalog/catalog.ts';
import { migrateDown, migrateUp } from './migrate.ts';
import { OutsideSession } from '../../packages/migrator/test/kit/outside-session.ts';
import { insertBareRows } from './rows.ts';

const initial = 'Migration20261121030000_initial_schema';
const checks = 'Migration20261121030100_domain_checks';
const treeRules = 'Migration20261121030200_exploration_tree_rules';
const rowVersions = 'Migration20261121030300_row_versions';
const indexes = 'Migration20261121030400_read_path_indexes';
const outcomes = 'Migration20261121030500_outcomes_by_synth';
const versions = 'Migration20261129163000_version_every_table';

async function databaseBefore(migration: string): Promise<TestDatabase> {
  const db = await TestServer.shared().createEmptyDatabase();
  onTestFinished(() => db.drop());
  const { pending: states } = await migrationGap(db.orm);
  const previous = states[states.indexOf(migration) - 1];
  if (previous !== undefined) {
    await migrateUp(db.orm, previous);
    await insertBareRows(db.orm.em);
  }
  return db;
}

// What makes a migration fail near its end, and what takes that away again.
const sabotages: [migration: string, sabotage: string, remedy: string][] = [
  [
    initial,
    `create function feature_scorecards_set_updated_at_fn() returns int language sql as 'select 1'`,
    'drop function feature_scorecards_set_updated_at_fn',
  ],
  [
    treeRules,
    `insert into scenario_nodes (id, exploration_id, scorecard_params, depth, node_status)
       select id, (select min(id) from explorations), '{}', 1, 'winner' from unnest(array['a', 'b']) id`,
    `delete from scenario_nodes where id = 'b'`,
  ],
  [
    versions,
    `create function explorations_raise_row_version_fn() returns int language sql as 'select 1'`,
    'drop function explorations_raise_row_version_fn',
  ],
];

describe('a migration in a transaction', () => {
  test('that fails near its end leaves nothing behind', async () => {
    const db = await databaseBefore(initial);

    for (const [name, sabotage, remedy] of sabotages) {
      // Those between, which run outside a transaction.
      const { pending } = await migrationGap(db.orm);
      const previous = pending[pending.indexOf(name) - 1];
      if (previous !== undefined) await migrateUp(db.orm, previous);
      if (name === treeRules) await insertBareRows(db.orm.em);
      await db.orm.em.execute(sabotage);
      const before = await readCatalog(db.orm);

      await expect(migrateUp(db.orm)).rejects.toThrow();

      expect(await readCatalog(db.orm)).toEqual(before);
      expect((await migrationGap(db.orm)).pending[0]).toBe(name);
      await db.orm.em.execute(remedy);
      await migrateUp(db.orm, name);
    }
  });
});

describe('a migration outside a transaction, cut short, converges when it runs again', () => {
  let complete: Catalog;
  beforeAll(async () => {
    const db = await TestDatabase.create();
    complete = await readCatalog(db.orm);
    await db.drop();
  });

  test.each([
    [checks, `update simulation_runs set status = 'lost'`, `update simulation_runs set status = 'pending'`],
    [
      rowVersions,
      'alter table explorations add row_version int',
      'alter table explorations drop row_version',
    ],
  ])('%s, which fails near its end', async (migration, sabotage, remedy) => {
    const db = await databaseBefore(migration);
    const { pending } = await migrationGap(db.orm);
    await db.orm.em.execute(sabotage);

    await expect(migrateUp(db.orm)).rejects.toThrow();

    expect((await migrationGap(db.orm)).pending[0]).toBe(migration);
    await db.orm.em.execute(remedy);
    expect(await migrateUp(db.orm)).toEqual(pending);
    expect(await readCatalog(db.orm)).toEqual(complete);
  });

  // Building waits for writers, dropping for readers too.
  test.each([
    [indexes, 'building', 'synth_groups', 'idx_synth_groups_created_at_id'],
    [indexes, 'building', 'explorations', 'idx_explorations_baseline_analysis_id'],
    [indexes, 'dropping', 'experiment_documents', 'idx_experiment_documents_experiment'],
    [outcomes, 'building', 'synth_outcomes', 'idx_synth_outcomes_synth_id'],
  ])('going up by %s, while %s an index of %s', async (migration, _, table, index) => {
    const db = await databaseBefore(migration);
    const { pending } = await migrationGap(db.orm);

    await cutShort(db, table, index, () => migrateUp(db.orm));

    expect(await invalidIndexes(db.orm)).toEqual([index]);
    expect((await migrationGap(db.orm)).pending).toEqual(pending);
    expect(await migrateUp(db.orm)).toEqual(pending);
    expect(await readCatalog(db.orm)).toEqual(complete);
  });

  test.each([
    [indexes, 'building', 'analysis_runs', 'idx_analysis_runs_experiment'],
    [indexes, 'dropping', 'experiments', 'idx_experiments_active_created_at_id'],
    [outcomes, 'dropping', 'synth_outcomes', 'idx_synth_outcomes_synth_id'],
  ])('going down by %s, while %s an index of %s', async (migration, _, table, index) => {
    const db = await databaseBefore(migration);
    const before = await readCatalog(db.orm);
    await migrateUp(db.orm, migration);

    await cutShort(db, table, index, () => migrateDown(db.orm));

    expect(await invalidIndexes(db.orm)).toEqual([index]);
    expect(await migrateDown(db.orm)).toBe(migration);
    expect(await readCatalog(db.orm)).toEqual(before);
  });
});

/** Runs `migrate` against another session's lock on `table`, and cancels its work on `index` from outside as soon as that waits. */
async function cutShort(
  db: TestDatabase,
  table: string,
  index: string,
  migrate: () => Promise<unknown>,
): Promise<void> {
  await using outside = await OutsideSession.holding(db, `lock table ${table} in row exclusive mode`);
  const migrating = Promise.allSettled([migrate()]);
  const [pid = 0] = await outside.waiting(1, `index concurrently (if exists )?${index}`);

  await outside.cancel(pid);

  expect(await migrating).toMatchObject([{ status: 'rejected', reason: { cause: { code: '57014' } } }]);
}

async function invalidIndexes(orm: MikroORM): Promise<string[]> {
  const rows = await orm.em.execute<{ name: string }[]>(
    `select relname as name from pg_index join pg_class on oid = indexrelid where not indisvalid`,
  );
  return rows.map(({ name }) => name);
}
