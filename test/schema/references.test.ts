import type { EntityClass, EntityManager } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  AnalysisCache,
  AnalysisRun,
  ChartInsight,
  Experiment,
  ExperimentDocument,
  Exploration,
  FeatureScorecard,
  InterviewGuide,
  RegionAnalysis,
  ResearchExecution,
  ScenarioNode,
  SensitivityResult,
  SimulationRun,
  Synth,
  SynthOutcome,
  Transcript,
} from '../../src/entities.ts';
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
  anAnalysisCache,
  anAnalysisRun,
  anExperiment,
  anExperimentDocument,
  anExploration,
  anInterviewGuide,
} from '../../src/testing/index.ts';

let db: TestDatabase;
beforeAll(async () => void (db = await TestDatabase.create()));
afterAll(() => db.drop());

/** Writes what was staged, removes the row by a flush, and forgets all that was loaded. */
async function flushAndRemove(em: EntityManager, row: object): Promise<void> {
  await em.flush();
  em.remove(row);
  await em.flush();
  em.clear();
}

async function count(em: EntityManager, ...entities: EntityClass<object>[]): Promise<number[]> {
  const counts = [];
  for (const entity of entities) counts.push(await em.count(entity));
  return counts;
}

describe('what the database does when a row is deleted', () => {
  test('a group leaves its synths, without a group', () =>
    db.rollback(async ({ em }) => {
      const synthGroup = aSynthGroup(em);
      const [one, two] = [aSynth(em, { synthGroup }), aSynth(em, { synthGroup })];

      await flushAndRemove(em, synthGroup);

      const left = await em.find(Synth, {}, { orderBy: { id: 'asc' } });
      expect(left).toMatchObject([one.id, two.id].map((id) => ({ id, synthGroup: null })));
    }));

  test('an experiment takes its guide, run, explorations and documents along', () =>
    db.rollback(async ({ em }) => {
      const experiment = anExperiment(em);
      anInterviewGuide(em, { experiment });
      anExperimentDocument(em, { experiment });
      const analysis = anAnalysisRun(em, { experiment });
      aSynthOutcome(em, { analysis });
      aScenarioNode(em, { exploration: anExploration(em, { baselineAnalysis: analysis }) });

      await flushAndRemove(em, experiment);

      expect(
        await count(
          em,
          InterviewGuide,
          ExperimentDocument,
          AnalysisRun,
          SynthOutcome,
          Exploration,
          ScenarioNode,
        ),
      ).toEqual([0, 0, 0, 0, 0, 0]);
    }));

  test('an experiment leaves its research executions with their transcripts, without an experiment', () =>
    db.rollback(async ({ em }) => {
      const experiment = anExperiment(em);
      const { execution } = aTranscript(em, { execution: aResearchExecution(em, { experiment }) });

      await flushAndRemove(em, experiment);

      const left = await em.find(ResearchExecution, {});
      expect(left).toMatchObject([{ id: execution.id, experiment: null }]);
      expect(await count(em, Transcript)).toEqual([1]);
    }));

  test('an experiment leaves its legacy scorecards with their simulations, without an experiment', () =>
    db.rollback(async ({ em }) => {
      const experiment = anExperiment(em);
      const { scorecard } = aSimulationRun(em, { scorecard: aFeatureScorecard(em, { experiment }) });

      await flushAndRemove(em, experiment);

      const left = await em.find(FeatureScorecard, {});
      expect(left).toMatchObject([{ id: scorecard.id, experiment: null }]);
      expect(await count(em, SimulationRun)).toEqual([1]);
    }));

  test('an analysis run takes its outcomes, cache and explorations along, but not its experiment', () =>
    db.rollback(async ({ em }) => {
      const analysis = anAnalysisRun(em);
      aSynthOutcome(em, { analysis });
      anAnalysisCache(em, { analysis });
      aScenarioNode(em, { exploration: anExploration(em, { baselineAnalysis: analysis }) });

      await flushAndRemove(em, analysis);

      expect(await count(em, SynthOutcome, AnalysisCache, Exploration, ScenarioNode)).toEqual([0, 0, 0, 0]);
      expect(await count(em, Experiment)).toEqual([1]);
    }));

  test('an exploration takes its nodes along, but neither its experiment nor its run', () =>
    db.rollback(async ({ em }) => {
      const root = aScenarioNode(em);
      aScenarioNode(em, { parent: root });

      await flushAndRemove(em, root.exploration.getEntity());

      expect(await count(em, ScenarioNode, Exploration, AnalysisRun, Experiment)).toEqual([0, 0, 1, 1]);
    }));

  test('a node leaves its children and theirs; the children have no parent then', () =>
    db.rollback(async ({ em }) => {
      const root = aScenarioNode(em);
      const child = aScenarioNode(em, { parent: root });
      const grandchild = aScenarioNode(em, { parent: child });

      await flushAndRemove(em, root);

      const left = await em.find(ScenarioNode, {}, { orderBy: { depth: 'asc' } });
      expect(left).toMatchObject([
        { id: child.id, depth: 1, parent: null },
        { id: grandchild.id, depth: 2, parent: { id: child.id } },
      ]);
    }));

  test('a research execution takes its transcripts along, but not its experiment', () =>
    db.rollback(async ({ em }) => {
      const execution = aResearchExecution(em, { experiment: anExperiment(em) });
      aTranscript(em, { execution });

      await flushAndRemove(em, execution);

      expect(await count(em, Transcript, Experiment)).toEqual([0, 1]);
    }));

  test('a legacy scorecard takes its simulations along', () =>
    db.rollback(async ({ em }) => {
      const { scorecard } = aSimulationRun(em);

      await flushAndRemove(em, scorecard.getEntity());

      expect(await count(em, SimulationRun)).toEqual([0]);
    }));

  test('rows that one unit of work has loaded are not deleted by the ORM where the database keeps them', () =>
    db.rollback(async ({ em }) => {
      const experiment = anExperiment(em);
      aResearchExecution(em, { experiment });
      aFeatureScorecard(em, { experiment });
      await em.flush();
      const loaded = await em.find(ResearchExecution, {}, { populate: ['experiment'] });

      em.remove(experiment);
      await em.flush();

      expect(loaded).toHaveLength(1);
      em.clear();
      expect(await count(em, ResearchExecution, FeatureScorecard)).toEqual([1, 1]);
    }));
});

describe('what has no foreign key', () => {
  test('an outcome and a transcript outlive their synth', () =>
    db.rollback(async ({ em }) => {
      const synth = aSynth(em);
      const [outcome, transcript] = [
        aSynthOutcome(em, { synthId: synth.id }),
        aTranscript(em, { synthId: synth.id }),
      ];

      await flushAndRemove(em, synth);

      expect(await em.find(SynthOutcome, {})).toMatchObject([{ id: outcome.id, synthId: synth.id }]);
      expect(await em.find(Transcript, {})).toMatchObject([{ id: transcript.id, synthId: synth.id }]);
    }));

  test.each([
    ['an outcome', (em: EntityManager) => aSynthOutcome(em, { synthId: 'never_was' })],
    ['a transcript', (em: EntityManager) => aTranscript(em, { synthId: 'never_was' })],
    ['a chart insight', (em: EntityManager) => aChartInsight(em, { simulationId: 'never_was' })],
    ['a sensitivity result', (em: EntityManager) => aSensitivityResult(em, { simulationId: 'never_was' })],
    ['a region', (em: EntityManager) => aRegionAnalysis(em, { simulationId: 'never_was' })],
  ])('%s may be of something that never was', (_, stage) =>
    db.rollback(async ({ em }) => {
      stage(em);

      await expect(em.flush()).resolves.toBeUndefined();
    }),
  );

  test('insights, sensitivity results and regions outlive the run that they were taken from', () =>
    db.rollback(async ({ em }) => {
      const run = anAnalysisRun(em);
      const simulationId = run.id;
      aChartInsight(em, { simulationId });
      aSensitivityResult(em, { simulationId });
      aRegionAnalysis(em, { simulationId });

      await flushAndRemove(em, run);

      expect(await count(em, ChartInsight, SensitivityResult, RegionAnalysis)).toEqual([1, 1, 1]);
    }));
});
