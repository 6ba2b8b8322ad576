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
const research_executions = [{ exec_id: 'batch_1', topic_name: 't', started_at: '2025-03-01T12:00:00Z' }];
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

test('a table without a column that its rows must have is refused, or left behind as a whole', async () => {
  const file = workshop.file(
    { experiments, analysis_runs, explorations },
    { sql: 'drop table analysis_runs; alter table experiments drop column hypothesis' },
  );

  await expect(workshop.import(file)).rejects.toThrow(
    'the target has no place for experiments (1 rows without hypothesis); skip them with --skip experiments',
  );
  const { result, findings } = await workshop.import(file, { skip: ['experiments'] });

  expect(result.unknown).toEqual([{ name: 'experiments', lacks: 'hypothesis', rows: 1, skipped: true }]);
  expect(result.absent.toSorted()).toEqual(['analysis_runs', 'experiments']);
  // Its children lack their parent.
  expect(findings.map(({ table, column, reason }) => [table, column, reason])).toEqual([
    ['explorations', 'experiment_id', expect.stringContaining('references a row of experiments')],
    ['explorations', 'baseline_analysis_id', expect.stringContaining('references a row of analysis_runs')],
  ]);
});

test('the sections of a synth become one document, and a transcript without a name gets that of its synth', async () => {
  const file = workshop.file(
    { research_executions },
    {
      sql: `drop table synths; drop table transcripts;
        create table synths (id text primary key, nome text, created_at text, demografia text, deficiencias text);
        insert into synths values ('abc', 'Ana', '2025-03-01T12:00:00Z', '{"renda_mensal": 1.50}', null), ('def', 'Eva', '2025-03-01T12:00:00Z', null, null);
        create table transcripts (id integer primary key, exec_id text, synth_id text, synth_name text, timestamp text);
        insert into transcripts values (1, 'batch_1', 'abc', null, '2025-03-01T12:00:00Z'), (2, 'batch_1', 'def', 'Old', '2025-03-01T12:00:00Z'),
          (3, 'batch_1', 'gone', null, '2025-03-01T12:00:00Z')`,
    },
  );

  const { result, findings } = await workshop.import(file, { allowRejected: 1 });

  expect(result.failures).toEqual([]);
  expect(result.unknown).toEqual([]);
  expect(result.notes).toEqual([
    'synths.data is one document of demografia, psicografia, deficiencias, capacidades_tecnologicas',
  ]);
  expect(await workshop.rows('select id, data::text from synths order by id')).toEqual([
    { id: 'abc', data: '{"demografia": {"renda_mensal": 1.50}}' },
    { id: 'def', data: null },
  ]);
  expect(await workshop.rows('select id, synth_name from transcripts order by id')).toEqual([
    { id: '1', synth_name: 'Ana' },
    { id: '2', synth_name: 'Old' },
  ]);
  expect(findings).toMatchObject([
    {
      outcome: 'rejected',
      table: 'transcripts',
      column: 'synth_name',
      reason: 'is NULL, but the column is NOT NULL',
    },
  ]);
});
