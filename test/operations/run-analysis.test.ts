import { describe, expect, test } from 'vitest';
import type { OutcomeRates } from '../../src/entities.ts';
import type { Database } from '../../src/index.ts';
import {
  TestDatabase,
  aSynth,
  aSynthGroup,
  aSynthOutcome,
  anAnalysisCache,
  anAnalysisRun,
  anExperiment,
  anExploration,
} from '../../src/testing/index.ts';
import type { UnitOfWork } from '../../src/database/units/unit-of-work.ts';
import { scorecard } from './scorecard.ts';
import { testWithFaults } from './with-faults.ts';

const rates = { did_not_try_rate: 0.2, failed_rate: 0.2, success_rate: 0.6 };
const config = { n_synths: 500, n_executions: 100, sigma: 0.05 };

/** Simulates an experiment on the synths of a group. What it had of an earlier simulation is gone then, and not before. */
async function runAnalysis(database: Database, experimentId: string, group: string): Promise<string> {
  return database.transact(async ({ experiments, synths, analysisRuns, synthOutcomes }) => {
    const experiment = await experiments.get(experimentId);
    if (!experiment.scorecardData) throw new Error('the experiment has no scorecard');
    const { data: population } = await synths.scrollDetails({ group, first: 200 });
    if (population.length === 0) throw new Error('there is nobody to simulate');
    await analysisRuns.deleteByExperiment(experimentId);
    const run = analysisRuns.add({ experiment, config, status: 'running', startedAt: new Date() });
    const outcomes = population.map(({ id, simulationAttributes }) => ({
      synthId: id,
      didNotTryRate: rates.did_not_try_rate,
      failedRate: rates.failed_rate,
      successRate: rates.success_rate,
      synthAttributes: simulationAttributes,
    }));
    await synthOutcomes.saveAll(run.id, outcomes);
    await analysisRuns.saveStatus(run.id, 'completed', {
      completedAt: new Date(),
      totalSynths: outcomes.length,
      aggregatedOutcomes: rates,
      executionTimeSeconds: 1.5,
    });
    return run.id;
  });
}

/** Stages an experiment that was simulated before, and a group of synths. */
function simulatedBefore({ em }: UnitOfWork, { synths }: { synths: number }) {
  const experiment = anExperiment(em, { scorecardData: scorecard });
  const old = anAnalysisRun(em, { experiment, status: 'completed', aggregatedOutcomes: rates });
  aSynthOutcome(em, { analysis: old });
  anAnalysisCache(em, { analysis: old });
  anExploration(em, { experiment, baselineAnalysis: old });
  const group = aSynthGroup(em);
  for (let n = 0; n < synths; n++) aSynth(em, { synthGroup: group });
  return { experiment: experiment.id, old: old.id, group: group.id };
}

testWithFaults('running an analysis', {
  prepare: (uow) => simulatedBefore(uow, { synths: 3 }),
  run: (database, { experiment, group }) => runAnalysis(database, experiment, group),
  copies: true,
  async checkResult({ analysisRuns, synthOutcomes, analysisCache, explorations }, { experiment, old }) {
    const run = await analysisRuns.getByExperiment(experiment);
    expect(run).toMatchObject({ status: 'completed', totalSynths: 3, aggregatedOutcomes: rates });
    expect(run.id).not.toBe(old);
    expect(await synthOutcomes.count(run.id)).toBe(3);
    expect(await synthOutcomes.count(old)).toBe(0);
    expect(await analysisCache.listEntries(old)).toEqual([]);
    expect((await explorations.pageSummaries(experiment)).data).toEqual([]);
  },
});

/** Ends a simulation with its results, and with the charts that are made of them. */
async function finishAnalysis(
  database: Database,
  run: string,
  aggregatedOutcomes: OutcomeRates,
): Promise<void> {
  await database.transact(async ({ analysisRuns, analysisCache }) => {
    await analysisRuns.saveStatus(run, 'completed', { completedAt: new Date(), aggregatedOutcomes });
    await analysisCache.deleteEntries(run);
    await analysisCache.saveEntries(run, {
      custom_one: { points: [1] },
      custom_two: { points: [2] },
    });
  });
}

testWithFaults('finishing an analysis', {
  prepare({ em }) {
    const run = anAnalysisRun(em, { status: 'running' });
    anAnalysisCache(em, { analysis: run });
    return run.id;
  },
  run: (database, run) => finishAnalysis(database, run, rates),
  async checkResult({ analysisRuns, analysisCache }, run) {
    expect(await analysisRuns.get(run)).toMatchObject({ status: 'completed', aggregatedOutcomes: rates });
    const keys = (await analysisCache.listEntries(run)).map(({ cacheKey }) => cacheKey);
    expect(keys).toEqual(['custom_one', 'custom_two']);
  },
});

/** Puts a new run in place of the one that an experiment has. */
async function rerunAnalysis(database: Database, experiment: string): Promise<void> {
  await database.transact(async ({ analysisRuns }) => {
    await analysisRuns.deleteByExperiment(experiment);
    analysisRuns.add({ experiment, config, startedAt: new Date() });
  });
}

testWithFaults('running an analysis again', {
  prepare: (uow) => simulatedBefore(uow, { synths: 0 }),
  run: (database, { experiment }) => rerunAnalysis(database, experiment),
  async checkResult({ analysisRuns, synthOutcomes, explorations }, { experiment, old }) {
    expect(await analysisRuns.find(old)).toBeNull();
    expect(await analysisRuns.getByExperiment(experiment)).toMatchObject({ status: 'pending' });
    expect(await synthOutcomes.count(old)).toBe(0);
    expect((await explorations.pageSummaries(experiment)).data).toEqual([]);
  },
});

describe('running an analysis', () => {
  test('without synths keeps the previous analysis', async () => {
    await using db = await TestDatabase.create();
    const { experiment, old, group } = await db.transact(async (uow) => simulatedBefore(uow, { synths: 0 }));

    await expect(runAnalysis(db, experiment, group)).rejects.toThrow('nobody');

    await db.read(async ({ analysisRuns, synthOutcomes }) => {
      expect(await analysisRuns.getByExperiment(experiment)).toMatchObject({ id: old, status: 'completed' });
      expect(await synthOutcomes.count(old)).toBe(1);
    });
  });

  test('twice concurrently leaves the outcomes of one', async () => {
    await using db = await TestDatabase.create();
    const { experiment, group } = await db.transact(async (uow) => simulatedBefore(uow, { synths: 3 }));

    const both = await Promise.allSettled([
      runAnalysis(db, experiment, group),
      runAnalysis(db, experiment, group),
    ]);

    const done = both.filter(({ status }) => status === 'fulfilled');
    expect(done.length).toBeGreaterThan(0);
    await db.read(async ({ analysisRuns, synthOutcomes }) => {
      const run = await analysisRuns.getByExperiment(experiment);
      expect(run.status).toBe('completed');
      expect(await synthOutcomes.count(run.id)).toBe(3);
    });
  });
});
