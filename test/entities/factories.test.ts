import type { EntityManager } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as entities from '../../src/entities.ts';
import * as testing from '../../src/testing/index.ts';

const { TestDatabase, TestServer: _, ...factories } = testing;
const { aChartInsight, aScenarioNode, aSynth, anAnalysisCache, anAnalysisRun, anExperiment, anExploration } =
  factories;

describe('factories', () => {
  let db: testing.TestDatabase;
  beforeAll(async () => void (db = await TestDatabase.create()));
  afterAll(() => db.drop());

  test('there is one for each entity', () => {
    const classes = Object.values(entities).filter((exported) => typeof exported === 'function');

    const made = Object.keys(factories).map((name) => name.replace(/^an?/, ''));

    expect(made.toSorted()).toEqual(classes.map(({ name }) => name).toSorted());
  });

  test.each(Object.entries(factories))('%s stages a row that the database takes', (_name, factory) =>
    db.rollback(async ({ em }) => {
      const row: object = factory(em);

      await em.flush();

      expect(await em.refresh(row)).toBe(row);
    }),
  );

  test('a cached chart is read as the chart of its analysis', () =>
    db.rollback(async ({ analysisCache, em }) => {
      for (const overrides of [{}, { analysis: anAnalysisRun(em) }, { analysis: anAnalysisRun(em).id }]) {
        const cache = anAnalysisCache(em, overrides);
        const entry = await analysisCache.findEntry(cache.analysis.id, 'distribution');

        expect(entry?.data).toMatchObject({ simulation_id: cache.analysis.id, total_synths: 0 });
      }
    }));

  test('what was said of a chart is read as an insight on the chart of its simulation', () =>
    db.rollback(async ({ chartInsights, em }) => {
      for (const made of [
        aChartInsight(em),
        aChartInsight(em, { simulationId: 'ana_1', insightType: 'heatmap' }),
      ]) {
        expect(await chartInsights.listBySimulation(made.simulationId)).toMatchObject([
          { invalid: null, insight: { analysis_id: made.simulationId, chart_type: made.insightType } },
        ]);
      }
    }));

  test('two rows of one factory do not collide', () =>
    db.rollback(async ({ em }) => {
      for (const factory of Object.values(factories)) {
        factory(em);
        factory(em);
      }

      await expect(em.flush()).resolves.toBeUndefined();
    }));

  test('what is given wins over what is made up', () =>
    db.rollback(async ({ em }) => {
      const experiment = anExperiment(em, { id: 'exp_given', name: 'Given', status: 'deleted' });

      expect(experiment).toMatchObject({ id: 'exp_given', name: 'Given', status: 'deleted' });
    }));

  test('a parent that is given is not made again', () =>
    db.rollback(async ({ em }) => {
      const baselineAnalysis = anAnalysisRun(em);

      const exploration = anExploration(em, { baselineAnalysis });
      const root = aScenarioNode(em, { exploration });
      const child = aScenarioNode(em, { parent: root });
      await em.flush();

      expect(exploration.experiment).toBe(baselineAnalysis.experiment);
      expect(child).toMatchObject({ depth: 1, exploration: root.exploration });
      expect(await em.count(entities.Experiment)).toBe(1);
    }));

  test('a document that one row changes in place is not shared with the next', () =>
    db.rollback(async ({ em }) => {
      const changed = aSynth(em);
      Object.assign(changed.data?.observables ?? {}, { digital_literacy: 0 });

      expect(aSynth(em).data?.observables?.digital_literacy).toBe(0.6);
    }));
});

/** Compiled, never run: a column that does not exist, or a value that its column does not take, is the compiler's business. */
export const mistakes = (em: EntityManager) => [
  // @ts-expect-error unknown column
  anExperiment(em, { title: 'x' }),
  // @ts-expect-error wrong type
  anExperiment(em, { name: 1 }),
  // @ts-expect-error status out of set
  anExperiment(em, { status: 'archived' }),
  // @ts-expect-error document out of shape
  anExploration(em, { goal: { metric: 'failed_rate', operator: '>=', value: 1 } }),
];
