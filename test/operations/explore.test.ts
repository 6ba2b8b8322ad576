import { describe, expect, test } from 'vitest';
import type { UnitOfWork } from '../../src/database/units/unit-of-work.ts';
import type { ScorecardParams, SimulationResults } from '../../src/entities.ts';
import type { Database } from '../../src/index.ts';
import {
  TestDatabase,
  aScenarioNode,
  anAnalysisRun,
  anExperiment,
  anExploration,
} from '../../src/testing/index.ts';
import { scorecard } from './scorecard.ts';
import { testWithFaults } from './with-faults.ts';

const config = { beam_width: 2, max_depth: 5, max_llm_calls: 20 };

/** Begins to look for a scorecard with which `goal` of the synths succeed, from the analysis that the experiment has. */
async function startExploration(database: Database, experimentId: string, goal: number): Promise<string> {
  return database.transact(async ({ experiments, analysisRuns, explorations, scenarioNodes }) => {
    const experiment = await experiments.get(experimentId);
    const card = experiment.scorecardData;
    if (!card) throw new Error('the experiment has no scorecard');
    const baseline = await analysisRuns.findByExperiment(experimentId);
    const rates = baseline?.aggregatedOutcomes;
    if (baseline?.status !== 'completed' || !rates)
      throw new Error('the experiment has no analysis to start from');
    const exploration = explorations.add({
      experiment,
      baselineAnalysis: baseline,
      goal: { metric: 'success_rate', operator: '>=', value: goal },
      config,
      startedAt: new Date(),
    });
    const reached = rates.success_rate >= goal;
    scenarioNodes.add({
      exploration,
      scorecardParams: {
        complexity: card.complexity.score,
        initial_effort: card.initial_effort.score,
        perceived_risk: card.perceived_risk.score,
        time_to_value: card.time_to_value.score,
      },
      simulationResults: simulated(rates.success_rate),
      nodeStatus: reached ? 'winner' : 'active',
    });
    await explorations.recordProgress(exploration.id, {
      nodes: 1,
      depth: 0,
      successRate: rates.success_rate,
    });
    if (reached) await explorations.finish(exploration.id, 'goal_achieved');
    return exploration.id;
  });
}

/** A change of a scorecard that a language model proposed, and what the simulation of it gave. */
interface Proposal {
  readonly action: string;
  readonly scorecardParams: ScorecardParams;
  readonly simulationResults: SimulationResults;
}

/**
 * Goes one step on from a node: adds what was proposed, sorts out what another child beats in every respect, and ends the
 * exploration when a child reaches the goal. The first that does wins, whatever beats it.
 */
async function expand(database: Database, parentId: string, proposals: readonly Proposal[]): Promise<void> {
  await database.transact(async ({ explorations, scenarioNodes }) => {
    const parent = await scenarioNodes.get(parentId);
    const exploration = await explorations.lock(parent.exploration.id);
    if (exploration?.status !== 'running') throw new Error('the exploration has ended');
    const children = proposals.map(({ action, scorecardParams, simulationResults }) =>
      scenarioNodes.add({
        exploration,
        parent,
        depth: parent.depth + 1,
        actionApplied: action,
        scorecardParams,
        simulationResults,
        executionTimeSeconds: 0.5,
      }),
    );
    const winner = children[proposals.findIndex((child) => successOf(child) >= exploration.goal.value)];
    const dominated = children.filter(
      (child, index) => child !== winner && proposals.some((other) => dominates(other, proposals[index])),
    );
    await scenarioNodes.saveStatusBatch(
      dominated.map(({ id }) => id),
      'dominated',
    );
    if (winner) await scenarioNodes.saveStatusBatch([winner.id], 'winner');
    await explorations.recordLlmCalls(exploration.id, 1);
    await explorations.recordProgress(exploration.id, {
      nodes: children.length,
      depth: parent.depth + 1,
      successRate: Math.max(...proposals.map(successOf)),
    });
    if (winner) await explorations.finish(exploration.id, 'goal_achieved');
  });
}

function successOf({ simulationResults }: Proposal): number {
  return simulationResults.success_rate;
}

/** Whether `one` succeeds more often, and is less complex and less risky. */
function dominates(one: Proposal, other: Proposal | undefined): boolean {
  if (!other) return false;
  return (
    successOf(one) > successOf(other) &&
    one.scorecardParams.complexity < other.scorecardParams.complexity &&
    one.scorecardParams.perceived_risk < other.scorecardParams.perceived_risk
  );
}

testWithFaults('starting an exploration', {
  prepare: analysed,
  run: (database, experiment) => startExploration(database, experiment, 0.8),
  async checkResult({ explorations, scenarioNodes }, experiment) {
    const [exploration, ...others] = (await explorations.pageSummaries(experiment)).data;
    expect(others).toEqual([]);
    expect(exploration).toMatchObject({ status: 'running', totalNodes: 1, bestSuccessRate: 0.5 });
    const nodes = await scenarioNodes.listByExploration(exploration?.id ?? '');
    expect(nodes).toMatchObject([{ depth: 0, nodeStatus: 'active', simulationResults: simulated(0.5) }]);
  },
});

testWithFaults('starting an exploration whose goal is met already', {
  prepare: analysed,
  run: (database, experiment) => startExploration(database, experiment, 0.5),
  async checkResult({ explorations, scenarioNodes }, experiment) {
    const [exploration] = (await explorations.pageSummaries(experiment)).data;
    expect(exploration).toMatchObject({
      status: 'goal_achieved',
      totalNodes: 1,
      completedAt: expect.any(Date),
    });
    expect(await scenarioNodes.findWinner(exploration?.id ?? '')).toMatchObject({ depth: 0 });
  },
});

testWithFaults('an iteration of an exploration', {
  prepare: rooted,
  run: (database, { root }) => expand(database, root, [better, worse, riskier]),
  async checkResult({ explorations, scenarioNodes }, { exploration, root }) {
    expect(await explorations.getSummary(exploration)).toMatchObject({
      status: 'running',
      currentDepth: 1,
      totalNodes: 4,
      totalLlmCalls: 1,
      bestSuccessRate: 0.7,
    });
    const children = await scenarioNodes.listChildren(root);
    expect(statusesOf(children)).toEqual({ better: 'active', worse: 'dominated', riskier: 'active' });
    expect((await scenarioNodes.listFrontier(exploration)).map(({ depth }) => depth)).toEqual([1, 1, 0]);
  },
});

testWithFaults('an iteration that reaches the goal', {
  prepare: rooted,
  run: (database, { root }) => expand(database, root, [worse, good, best]),
  async checkResult({ explorations, scenarioNodes }, { exploration, root }) {
    expect(await explorations.getSummary(exploration)).toMatchObject({
      status: 'goal_achieved',
      totalNodes: 4,
      bestSuccessRate: 0.95,
      completedAt: expect.any(Date),
    });
    // The best beats the good one in every respect, but the good one came first.
    const children = await scenarioNodes.listChildren(root);
    expect(statusesOf(children)).toEqual({ worse: 'dominated', good: 'winner', best: 'active' });
  },
});

describe('an exploration', () => {
  test('of an experiment without a completed analysis is not started', async () => {
    await using db = await TestDatabase.create();
    const experiment = await db.transact(async ({ em }) => {
      const { id } = anExperiment(em, { scorecardData: scorecard });
      anAnalysisRun(em, { experiment: id, status: 'running' });
      return id;
    });

    await expect(startExploration(db, experiment, 0.8)).rejects.toThrow('no analysis');

    expect((await db.read(({ explorations }) => explorations.pageSummaries(experiment))).data).toEqual([]);
  });

  test('that two workers expand concurrently counts the nodes and calls of both', async () => {
    await using db = await TestDatabase.create();
    const { exploration, root } = await db.transact(async (uow) => rooted(uow));

    await Promise.all([expand(db, root, [better]), expand(db, root, [worse, riskier])]);

    await db.read(async ({ explorations, scenarioNodes }) => {
      expect(await explorations.getSummary(exploration)).toMatchObject({ totalNodes: 4, totalLlmCalls: 2 });
      expect(await scenarioNodes.listChildren(root)).toHaveLength(3);
    });
  });
});

function proposal(action: string, success: number, complexity: number, risk: number): Proposal {
  return {
    action,
    scorecardParams: { complexity, initial_effort: 0.4, perceived_risk: risk, time_to_value: 0.2 },
    simulationResults: simulated(success),
  };
}

const better = proposal('better', 0.6, 0.4, 0.2);
const worse = proposal('worse', 0.4, 0.5, 0.3);
const riskier = proposal('riskier', 0.7, 0.4, 0.9);
const good = proposal('good', 0.9, 0.4, 0.2);
const best = proposal('best', 0.95, 0.3, 0.1);

function simulated(success: number): SimulationResults {
  return { success_rate: success, fail_rate: 1 - success, did_not_try_rate: 0 };
}

function statusesOf(nodes: readonly { actionApplied: string | null; nodeStatus: string }[]) {
  return Object.fromEntries(nodes.map(({ actionApplied, nodeStatus }) => [actionApplied, nodeStatus]));
}

/** Stages an experiment whose analysis is completed. */
function analysed({ em }: UnitOfWork): string {
  const experiment = anExperiment(em, { scorecardData: scorecard });
  anAnalysisRun(em, {
    experiment,
    status: 'completed',
    aggregatedOutcomes: { did_not_try_rate: 0.2, failed_rate: 0.3, success_rate: 0.5 },
  });
  return experiment.id;
}

/** Stages an exploration that has a root. */
function rooted({ em }: UnitOfWork): { exploration: string; root: string } {
  const exploration = anExploration(em, { totalNodes: 1, bestSuccessRate: 0.5 });
  const root = aScenarioNode(em, { exploration, simulationResults: simulated(0.5) });
  return { exploration: exploration.id, root: root.id };
}
