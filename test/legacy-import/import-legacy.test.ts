import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { SourceTimeZone } from '../../src/legacy-import/conversion/source-time-zone.ts';
import { complete, LegacyWorkshop } from './legacy-workshop.ts';

let workshop: LegacyWorkshop;
beforeAll(async () => void (workshop = await LegacyWorkshop.open()));
beforeEach(() => workshop.empty());
afterAll(() => workshop.close());

const experiment = (id: string, columns: object = {}) => ({ id, ...complete.experiment, ...columns });
const run = { id: 'ana_1', experiment_id: 'exp_1', ...complete.run };
const exploration = {
  id: 'expl_1',
  experiment_id: 'exp_1',
  baseline_analysis_id: 'ana_1',
  ...complete.exploration,
};
const node = (id: string, parent_id: string | null, depth: number) => ({
  id,
  parent_id,
  depth,
  exploration_id: 'expl_1',
  ...complete.node,
});

test('a document keeps all digits of its numbers', async () => {
  const scorecard_data =
    '{"big": 9007199254740993, "precise": 0.12345678901234567890, "exact": 1.50, "😀": "\\u00e9"}';

  await workshop.import({ experiments: [experiment('exp_1', { scorecard_data })] });

  expect(await workshop.rows(`select scorecard_data::text as text from experiments`)).toEqual([
    { text: '{"big": 9007199254740993, "😀": "é", "exact": 1.50, "precise": 0.12345678901234567890}' },
  ]);
});

test('JSON null becomes NULL and is counted; in a NOT NULL column the row is rejected', async () => {
  const { table, findings } = await workshop.import({
    experiments: [experiment('exp_1', { scorecard_data: 'null' })],
    analysis_runs: [{ ...run, config: 'null' }],
  });

  expect(table('experiments')).toMatchObject({ written: 1, jsonNulls: 1 });
  expect(await workshop.rows(`select scorecard_data is null as gone from experiments`)).toEqual([
    { gone: true },
  ]);
  expect(findings).toEqual([
    {
      outcome: 'rejected',
      table: 'analysis_runs',
      key: 'ana_1',
      column: 'config',
      reason: 'is JSON null, but the column is NOT NULL',
    },
  ]);
});

const unstorable = String.raw`{"a": [1, NaN, {"b c": -Infinity}], "d": "x\u0000y", "e": "\ud800"}`;

test('values that jsonb can not store are rejected with their paths', async () => {
  const { result, findings } = await workshop.import({
    experiments: [experiment('exp_1', { scorecard_data: unstorable })],
  });

  expect(findings.map(({ reason }) => reason)).toEqual([
    "$.a[1] is NaN, which PostgreSQL can't store",
    `$.a[2]["b c"] is -Infinity, which PostgreSQL can't store`,
    "$.d has U+0000, which PostgreSQL can't store",
    "$.e has an unpaired surrogate, which PostgreSQL can't store",
  ]);
  expect(result.failures).toHaveLength(1);
});

test('values that jsonb can not store are replaced with replaceInvalidJson', async () => {
  const { result, findings } = await workshop.import(
    { experiments: [experiment('exp_1', { scorecard_data: unstorable })] },
    { replaceInvalidJson: true },
  );

  expect(findings.filter(({ outcome }) => outcome === 'replaced')).toHaveLength(4);
  expect(result.failures).toEqual([]);
  expect(await workshop.rows(`select scorecard_data as data from experiments`)).toEqual([
    { data: { a: [1, null, { 'b c': null }], d: 'x\uFFFDy', e: '\uFFFD' } },
  ]);
});

test('text with U+0000 and invalid UTF-8 are rejected', async () => {
  const file = workshop.file(
    {
      experiments: [
        experiment('exp_1', { description: 'cut\0here' }),
        experiment('exp_2'),
        experiment('exp_3', { description: '\uFFFD is text' }),
      ],
    },
    { sql: `update experiments set description = cast(x'41ff42' as text) where id = 'exp_2'` },
  );

  const { findings, table } = await workshop.import(file);

  expect(findings.map(({ key, column, reason }) => [key, column, reason])).toEqual([
    ['exp_1', 'description', "has U+0000, which PostgreSQL can't store"],
    ['exp_2', 'description', 'is not valid UTF-8'],
  ]);
  expect(table('experiments')).toMatchObject({ written: 1, rejected: 2 });
});

test('a document of 5 MB is imported unchanged', async () => {
  const scorecard_data = JSON.stringify({ text: '😀 é "\\"'.repeat(500_000) });

  await workshop.import({ experiments: [experiment('exp_1', { scorecard_data })] });

  const [stored] = await workshop.rows(`select scorecard_data as data from experiments`);
  expect(stored).toEqual({ data: JSON.parse(scorecard_data) });
});

test('times keep their microseconds in all four formats', async () => {
  const times = [
    '2025-03-01T12:00:00.123456+00:00',
    '2025-03-01T12:00:00.123456',
    '2025-03-01 12:00:00',
    '2025-03-01T12:00:00.123456Z',
  ];

  const { result, table } = await workshop.import(
    { experiments: times.map((created_at, index) => experiment(`exp_${index}`, { created_at })) },
    { zone: new SourceTimeZone('America/Sao_Paulo') },
  );

  expect(result.failures).toEqual([]);
  expect(
    await workshop.rows(`select (created_at at time zone 'UTC')::text as at from experiments order by id`),
  ).toEqual([
    { at: '2025-03-01 12:00:00.123456' },
    { at: '2025-03-01 15:00:00.123456' },
    { at: '2025-03-01 12:00:00' },
    { at: '2025-03-01 12:00:00.123456' },
  ]);
  expect(table('experiments')?.times).toEqual({ with_offset: 2, sqlite_now: 1, without_zone: 1 });
});

test('a time without a time zone is rejected without --source-time-zone', async () => {
  const { findings } = await workshop.import({
    experiments: [experiment('exp_1', { created_at: '2025-03-01T12:00:00' })],
  });

  expect(findings).toMatchObject([{ outcome: 'rejected', column: 'created_at' }]);
});

test('times that SQLite wrote, by a default or in a statement, are UTC and need no zone', async () => {
  const insight = { id: 'ins_1', simulation_id: 'sim_1', insight_type: 'x', response_json: '{}' };
  const file = workshop.file(
    { chart_insights: [insight] },
    // As the old system creates the group of every file.
    { sql: `insert into synth_groups (id, name, created_at) values ('grp_1', 'Default', datetime('now'))` },
  );

  const { findings, table } = await workshop.import(file);

  expect(findings).toEqual([]);
  expect(table('synth_groups')?.times).toEqual({ sqlite_now: 1 });
  // Both columns of an insight have the default.
  expect(table('chart_insights')?.times).toEqual({ sqlite_now: 2 });
  expect(
    await workshop.rows(
      `select now() - created_at < interval '1 minute' as recent from synth_groups
       union all select now() - updated_at < interval '1 minute' from chart_insights`,
    ),
  ).toEqual([{ recent: true }, { recent: true }]);
});

test('rows without a key get a deterministic key', async () => {
  const outcome = { id: null, analysis_id: 'ana_1', ...complete.outcome };
  const file = workshop.file({
    experiments: [experiment('exp_1')],
    analysis_runs: [run],
    synth_outcomes: ['a', 'b'].map((synth_id) => ({ ...outcome, synth_id })),
  });

  const first = await workshop.import(file);
  const keys = await workshop.rows('select id from synth_outcomes order by id');
  await workshop.empty();
  await workshop.import(file);

  expect(first.table('synth_outcomes')).toMatchObject({ written: 2, generatedKeys: 2 });
  expect(keys).toHaveLength(2);
  expect(await workshop.rows('select id from synth_outcomes order by id')).toEqual(keys);
});

test('tree nodes are imported after their parents; those in a cycle, and below it, are rejected', async () => {
  const tree = Array.from({ length: 9_000 }, (_, index) =>
    node(`node_${index}`, index === 0 ? null : `node_${index - 1}`, index),
  );
  const cycle = [node('x', 'y', 1), node('y', 'x', 1), node('z', 'y', 2)];

  const { table, findings } = await workshop.import({
    experiments: [experiment('exp_1')],
    analysis_runs: [run],
    explorations: [exploration],
    scenario_nodes: [...cycle, ...tree.toReversed()],
  });

  expect(table('scenario_nodes')).toMatchObject({ rows: 9_003, written: 9_000, rejected: 3 });
  expect(findings.map(({ key }) => key)).toEqual(['x', 'y', 'z']);
});

test('a dangling reference rejects the row and its dependents', async () => {
  const { findings } = await workshop.import({
    analysis_runs: [run],
    synth_outcomes: [{ id: 'out_1', analysis_id: 'ana_1', synth_id: 'a', ...complete.outcome }],
  });

  expect(findings.map(({ table, column }) => [table, column])).toEqual([
    ['analysis_runs', 'experiment_id'],
    ['synth_outcomes', 'analysis_id'],
  ]);
});

test('a dangling reference becomes NULL with nullDangling where the foreign key sets NULL on delete', async () => {
  const rows = {
    synths: [{ id: 'abc123', synth_group_id: 'gone', nome: 'Ana', created_at: '2025-03-01T12:00:00Z' }],
  };

  const refused = await workshop.import(rows);
  const nulled = await workshop.import(rows, { nullDangling: true });

  expect(refused.table('synths')).toMatchObject({ rejected: 1 });
  expect(nulled.findings).toMatchObject([
    { outcome: 'nulled', table: 'synths', key: 'abc123', column: 'synth_group_id' },
  ]);
  expect(await workshop.rows('select synth_group_id from synths')).toEqual([{ synth_group_id: null }]);
});

test('a document that does not match its shape is stored and reported; with strict it is rejected', async () => {
  const rows = { experiments: [experiment('exp_1', { scorecard_data: '{"complexity": "secret"}' })] };

  const strict = await workshop.import(rows, { strict: true });
  const kept = await workshop.import(rows);

  expect(strict.table('experiments')).toMatchObject({ written: 0, rejected: 1 });
  expect(kept.table('experiments')).toMatchObject({ written: 1, findings: { out_of_shape: 1 } });
  expect(JSON.stringify(kept.findings)).not.toContain('secret');
});

test('an integer outside the range of its column is rejected', async () => {
  const { findings } = await workshop.import({
    experiments: [experiment('exp_1')],
    analysis_runs: [{ ...run, total_synths: 2n ** 53n + 1n }],
  });

  expect(findings).toMatchObject([
    {
      key: 'ana_1',
      column: 'total_synths',
      reason: expect.stringContaining('outside the range of an integer column'),
    },
  ]);
});

test('a row that only PostgreSQL refuses is rejected, and the rest of the batch is written', async () => {
  const { table, findings } = await workshop.import({
    experiments: [experiment('exp_1')],
    analysis_runs: [run],
    explorations: [exploration],
    scenario_nodes: [node('root', null, 0), node('other root', null, 0), node('leaf', 'root', 1)],
  });

  expect(table('scenario_nodes')).toMatchObject({ written: 2, rejected: 1 });
  expect(findings).toMatchObject([
    { outcome: 'rejected', key: 'other root', reason: expect.stringContaining('uq_scenario_nodes_root') },
  ]);
});

test('a dry run reports what an import would do', async () => {
  const rows = {
    experiments: [experiment('exp_1'), experiment('exp_2', { name: ' ' })],
    analysis_runs: [run, { ...run, id: 'ana_2', experiment_id: 'exp_2' }],
  };

  const dry = await workshop.dryRun(rows);
  const wet = await workshop.import(rows);

  expect(dry.findings).toEqual(wet.findings);
  expect(dry.result.tables).toEqual(wet.result.tables.map((table) => ({ ...table, target: null })));
});

test('allowRejected allows a number of rejected rows', async () => {
  const rows = { experiments: [experiment('exp_1'), experiment('exp_2', { name: '' })] };

  const one = await workshop.import(rows, { allowRejected: 1 });
  const none = await workshop.import(rows, { allowRejected: 0 });

  expect([one.result.failures.length, none.result.failures.length]).toEqual([0, 1]);
});
