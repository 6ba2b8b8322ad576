import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { complete, LegacyWorkshop } from './legacy-workshop.ts';

let workshop: LegacyWorkshop;
beforeAll(async () => void (workshop = await LegacyWorkshop.open()));
beforeEach(() => workshop.empty());
afterAll(() => workshop.close());

const experiments = [{ id: 'exp_1', ...complete.experiment, scorecard_data: null }];
const analysis_runs = [{ id: 'ana_1', experiment_id: 'exp_1', ...complete.run }];
const explorations = [
  { id: 'expl_1', experiment_id: 'exp_1', baseline_analysis_id: 'ana_1', ...complete.exploration },
];
const scenario_nodes = ['node_1', 'node_2'].map((id) => ({
  id,
  parent_id: id === 'node_2' ? 'node_1' : null,
  depth: id === 'node_2' ? 1 : 0,
  exploration_id: 'expl_1',
  ...complete.node,
}));
const synths = [{ id: 'abc123', nome: 'Ana', created_at: '2025-03-01T12:00:00Z' }];

test('a file without tables and columns of later versions is imported, and what it lacks is listed', async () => {
  const file = workshop.file(
    { experiments, synths },
    {
      sql: `drop table experiment_documents; drop table scenario_nodes; drop table explorations;
        alter table synths drop column link_photo; alter table synths drop column version`,
    },
  );

  const { result, findings, table } = await workshop.import(file, { strict: true });

  expect(result.failures).toEqual([]);
  expect(findings).toEqual([]);
  expect(result.absent.toSorted()).toEqual([
    'experiment_documents',
    'explorations',
    'scenario_nodes',
    'synths.link_photo',
    'synths.version',
  ]);
  expect(table('explorations')).toMatchObject({ rows: 0, written: 0 });
  expect(await workshop.rows('select link_photo, version from synths')).toEqual([
    { link_photo: null, version: '2.0.0' },
  ]);
});

test('it is the same when it is run again', async () => {
  const file = workshop.file({ experiments, synths }, { sql: 'alter table synths drop column version' });
  await workshop.import(file);

  const { result, table } = await workshop.import(file);

  expect(result.failures).toEqual([]);
  expect(table('synths')).toMatchObject({ written: 0, found: 1 });
});

test('a tree without its column of parents is imported as roots', async () => {
  const file = workshop.file(
    { experiments, analysis_runs, explorations, scenario_nodes },
    {
      sql: `create table copied as select * from scenario_nodes; drop table scenario_nodes;
        alter table copied drop column parent_id; alter table copied rename to scenario_nodes`,
    },
  );

  const { result, table } = await workshop.import(file);

  expect(result).toMatchObject({ failures: [], absent: ['scenario_nodes.parent_id'] });
  expect(table('scenario_nodes')).toMatchObject({ written: 2 });
});

test('rows whose column must have a value, or whose parents have no table, are rejected with the reason', async () => {
  const file = workshop.file(
    { experiments, analysis_runs, explorations },
    { sql: 'drop table analysis_runs; alter table experiments drop column hypothesis' },
  );

  const { findings } = await workshop.import(file);

  expect(findings.map(({ table, column, reason }) => [table, column, reason])).toEqual([
    ['experiments', 'hypothesis', 'is no column of the source, but the column is NOT NULL'],
    ['explorations', 'experiment_id', expect.stringContaining('references a row of experiments')],
    ['explorations', 'baseline_analysis_id', expect.stringContaining('references a row of analysis_runs')],
  ]);
});
