import type { Database } from '../../database/database.ts';
import { Synth } from '../../entities.ts';
import {
  anAnalysisRun,
  anExperiment,
  anExploration,
  aScenarioNode,
  aSynth,
  aSynthGroup,
  aSynthOutcome,
} from '../../testing/factories.ts';

/** The keys of the rows that the demo stores. */
export const demoKeys = {
  group: 'grp_demo',
  experiment: 'exp_demo',
  analysis: 'ana_demo',
  exploration: 'expl_demo',
} as const;

const startedAt = new Date('2026-01-15T12:00:00Z');
const synthCount = 250;
const outcomeCount = 500;

/**
 * Stores a sample experiment: a group of 250 synths, an analysis with 500 outcomes and an exploration tree, the same rows in every run.
 * Replaces those of an earlier run.
 */
export async function storeDemo(database: Database): Promise<void> {
  await database.transact(async ({ experiments, synthGroups, synths, em }) => {
    // The analysis and the exploration are deleted with the experiment; synths outlive their group.
    for (const synth of await em.find(Synth, { id: numbered('syn', synthCount) })) synths.remove(synth);
    const experiment = await experiments.find(demoKeys.experiment, { deleted: 'included' });
    const group = await synthGroups.find(demoKeys.group);
    if (experiment) experiments.remove(experiment);
    if (group) synthGroups.remove(group);
  });
  await database.transact(async ({ em }) => {
    const synthGroup = aSynthGroup(em, { id: demoKeys.group });
    for (const id of numbered('syn', synthCount)) aSynth(em, { id, synthGroup });
    const experiment = anExperiment(em, { id: demoKeys.experiment });
    const analysis = anAnalysisRun(em, {
      id: demoKeys.analysis,
      experiment,
      status: 'completed',
      startedAt,
      completedAt: new Date(startedAt.getTime() + 42_000),
      totalSynths: outcomeCount,
      executionTimeSeconds: 42,
      aggregatedOutcomes: { did_not_try_rate: 0.2, failed_rate: 0.3, success_rate: 0.5 },
    });
    // The first 250 outcomes are those of the group; the others are of synths that do not exist any more.
    const synthIds = numbered('syn', outcomeCount);
    for (const [index, id] of numbered('out', outcomeCount).entries())
      aSynthOutcome(em, { id, analysis, synthId: synthIds[index] ?? '' });
    const exploration = anExploration(em, {
      id: demoKeys.exploration,
      baselineAnalysis: analysis,
      startedAt,
      currentDepth: 2,
      totalNodes: 4,
      totalLlmCalls: 3,
    });
    const node = { exploration, createdAt: startedAt };
    const root = aScenarioNode(em, { ...node, id: 'node_demo_root' });
    const fields = aScenarioNode(em, {
      ...node,
      id: 'node_demo_fields',
      parent: root,
      shortAction: 'Fewer fields',
    });
    aScenarioNode(em, {
      ...node,
      id: 'node_demo_seal',
      parent: root,
      shortAction: 'Trust seal',
      nodeStatus: 'dominated',
    });
    aScenarioNode(em, {
      ...node,
      id: 'node_demo_undo',
      parent: fields,
      shortAction: 'Undo',
      nodeStatus: 'winner',
    });
  });
}

function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}_demo_${String(index).padStart(4, '0')}`);
}
