import { readFile } from 'node:fs/promises';
import type { EntityManager } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultSynthGroup } from '../../src/entities.ts';
import {
  TestDatabase,
  aChartInsight,
  aFeatureScorecard,
  aRegionAnalysis,
  aResearchExecution,
  aScenarioNode,
  aSensitivityResult,
  aSimulationRun,
  aSynth,
  aSynthGroup,
  aSynthOutcome,
  aTranscript,
  anAnalysisRun,
  anExperiment,
  anExperimentDocument,
  anExploration,
} from '../../src/testing/index.ts';

type Factory = (em: EntityManager, overrides?: { id: string }) => { id: string };

// Table, its column, the prefix of new keys, and keys as the old database has them.
const minted: [table: string, column: string, prefix: string, old: string[], factory: Factory][] = [
  ['experiments', 'id', 'exp', ['exp_a1b2c3d4'], anExperiment],
  ['analysis_runs', 'id', 'ana', ['ana_a1b2c3d4'], anAnalysisRun],
  ['synth_outcomes', 'id', 'out', ['out_a1b2c3d4', 'ana_a1b2c3d4_x1y2z3', 'out_a1b2c3d4e5f6'], aSynthOutcome],
  ['synth_groups', 'id', 'grp', ['grp_a1b2c3d4', 'grp_00000001'], aSynthGroup],
  ['synths', 'id', 'syn', ['x1y2z3'], aSynth],
  ['explorations', 'id', 'expl', ['expl_a1b2c3d4'], anExploration],
  ['scenario_nodes', 'id', 'node', ['node_a1b2c3d4'], aScenarioNode],
  ['experiment_documents', 'id', 'doc', ['doc_a1b2c3d4'], anExperimentDocument],
  ['chart_insights', 'id', 'ins', ['ins_a1b2c3d4e5f6'], aChartInsight],
  ['sensitivity_results', 'id', 'sens', ['sens_a1b2c3d4e5f6'], aSensitivityResult],
  ['region_analyses', 'id', 'region', ['region_a1b2c3d4'], aRegionAnalysis],
  [
    'research_executions',
    'exec_id',
    'exec',
    ['batch_exp_exp_a1b2c3d4_20260102_030405', 'batch_exp_exp_a1b2c3d4_auto_20260102_030405'],
    aResearchExecution,
  ],
  ['transcripts', 'id', 'trn', ['7d444840-9dc0-41d1-b245-5ffdce74fad2'], aTranscript],
  ['feature_scorecards', 'id', 'card', ['A1b2C3d4'], aFeatureScorecard],
  ['simulation_runs', 'id', 'sim', ['sim_A1b2C3d4'], aSimulationRun],
];

const uuid7 = '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';

describe('keys', () => {
  let db: TestDatabase;
  beforeAll(async () => void (db = await TestDatabase.create()));
  afterAll(() => db.drop());

  test.each(minted)(
    'a row of %s without one is given one as soon as it is staged',
    (_t, _c, prefix, _o, factory) =>
      db.rollback(async ({ em }) => {
        const row = factory(em);

        expect(row.id).toMatch(new RegExp(`^${prefix}_${uuid7}$`));
      }),
  );

  test.each(minted)(
    '%s takes keys of old formats, and of any length',
    (table, column, _prefix, old, factory) =>
      db.rollback(async ({ em }) => {
        const keys = [...old, 'k'.repeat(500)];

        for (const id of keys) factory(em, { id });
        await em.flush();

        const rows = await em.execute<{ key: string }[]>(`select ${column} as key from ${table}`);
        expect(rows.map(({ key }) => key).toSorted()).toEqual(keys.toSorted());
      }),
  );

  test.each(minted)('%s has no server default: whoever writes plain SQL brings a key', (table, column) =>
    db.rollback(async ({ em }) => {
      await expect(em.execute(`insert into ${table} default values`)).rejects.toMatchObject({
        cause: { code: '23502' },
        column,
      });
    }),
  );

  test('ten thousand that are minted in a row differ and sort by time, here and in the database', () =>
    db.rollback(async ({ em }) => {
      const keys = Array.from({ length: 10_000 }, () => aSynthGroup(em).id);
      const [row] = await em.execute<{ sorted: boolean }[]>(
        `select array_agg(key order by n) = array_agg(key order by key) as sorted
         from jsonb_array_elements_text(?) with ordinality as t (key, n)`,
        [JSON.stringify(keys)],
      );

      expect(new Set(keys).size).toBe(10_000);
      expect(keys).toEqual(keys.toSorted());
      expect(row).toEqual({ sorted: true });
    }));

  test('the default group has the key, name and description that it has always had', () => {
    expect(defaultSynthGroup).toEqual({
      id: 'grp_00000001',
      name: 'Default',
      description: 'Grupo padrão para synths sem grupo específico',
    });
  });
});

describe('the legacy group', () => {
  test.each(['feature-scorecard', 'simulation-run'])('%s is marked deprecated', async (file) => {
    const source = await readFile(`${import.meta.dirname}/../../src/entities/legacy/${file}.ts`, 'utf8');

    expect(source).toMatch(/\* @deprecated .+\n \*\/\nexport class /);
  });
});
