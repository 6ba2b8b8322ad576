import type { Database } from '../../database/database.ts';
import {
  Synth,
  type ScenarioNode,
  type Scorecard,
  type ScorecardParams,
  type SimulationResults,
} from '../../entities/index.ts';
import { keys } from './keys.ts';
import { person } from './people.ts';
import { Random } from './random.ts';

const startedAt = new Date('2026-01-15T12:00:00Z');
const synthCount = 250;
const outcomeCount = 500;

const scorecard: Scorecard = {
  feature_name: 'Pagamento em um toque',
  scenario: 'baseline',
  description_text: 'Quem já comprou paga de novo com um toque, sem digitar cartão nem endereço.',
  complexity: { score: 0.35, rules_applied: ['one decision', 'no new concept'] },
  initial_effort: { score: 0.4, lower_bound: 0.3, upper_bound: 0.5 },
  perceived_risk: { score: 0.55, lower_bound: 0.45, upper_bound: 0.7 },
  time_to_value: { score: 0.2 },
  impact_hypotheses: ['Mais recompra entre quem compra pelo celular'],
};

/**
 * Stores what a small study stores: a group of 250 synths, an experiment with its scorecard, an analysis with 500 outcomes, an
 * exploration tree; each step in one transaction. The same at every run: what an earlier run stored is replaced.
 */
export async function storeDemo(database: Database): Promise<void> {
  const random = new Random(20_260_115);
  await removeEarlier(database);
  await storeSynths(database, random);
  await storeExperiment(database);
  await storeAnalysis(database, random);
  await storeExploration(database);
}

// The analysis and the exploration die with the experiment; synths outlive their group.
async function removeEarlier(database: Database): Promise<void> {
  await database.transact(async ({ experiments, synthGroups, synths, em }) => {
    // By their keys, wherever somebody has moved them since.
    const earlier = Array.from({ length: synthCount }, (_, i) => synthKey(i));
    for (const synth of await em.find(Synth, { id: earlier })) synths.remove(synth);
    const experiment = await experiments.find(keys.experiment, { deleted: 'included' });
    const group = await synthGroups.find(keys.group);
    if (experiment) experiments.remove(experiment);
    if (group) synthGroups.remove(group);
  });
}

async function storeSynths(database: Database, random: Random): Promise<void> {
  await database.transact(async ({ synthGroups, synths }) => {
    const synthGroup = synthGroups.add({
      id: keys.group,
      name: 'Brasil, 250 adultos',
      description: 'Distribuições do Censo 2022',
    });
    for (let i = 0; i < synthCount; i++) {
      const { name, description, demographics, attributes } = person(random);
      const data = {
        demografia: demographics,
        observables: attributes.observables,
        simulation_attributes: attributes,
      };
      synths.add({ id: synthKey(i), synthGroup, name, description, data });
    }
  });
}

async function storeExperiment(database: Database): Promise<void> {
  await database.transact(async ({ experiments }) => {
    experiments.add({
      id: keys.experiment,
      name: 'Pagamento em um toque',
      hypothesis: 'Se pagar pedir um só toque, quem já comprou volta a comprar mais vezes.',
      description: 'Experimento de demonstração',
      scorecardData: scorecard,
    });
  });
}

async function storeAnalysis(database: Database, random: Random): Promise<void> {
  await database.transact(async ({ experiments, analysisRuns, synthOutcomes }) => {
    const analysis = analysisRuns.add({
      id: keys.analysis,
      experiment: await experiments.get(keys.experiment),
      config: { n_synths: outcomeCount, n_executions: 100, sigma: 0.05, seed: 7 },
      status: 'running',
      startedAt,
    });
    let [tried, won] = [0, 0];
    for (let i = 0; i < outcomeCount; i++) {
      const { attributes } = person(random);
      const didNotTryRate = random.rate(0.35 - 0.3 * attributes.latent_traits.exploration_prob, 0.1);
      const successRate = Number(
        ((1 - didNotTryRate) * random.rate(attributes.latent_traits.capability_mean, 0.2)).toFixed(3),
      );
      tried += 1 - didNotTryRate;
      won += successRate;
      synthOutcomes.add({
        id: `out_demo_${String(i).padStart(4, '0')}`,
        analysis,
        // The first 250 are the group's; the rest left it since, and their outcomes outlived them.
        synthId: synthKey(i),
        didNotTryRate,
        failedRate: Number((1 - didNotTryRate - successRate).toFixed(3)),
        successRate,
        synthAttributes: attributes,
      });
    }
    analysis.status = 'completed';
    analysis.completedAt = new Date(startedAt.getTime() + 42_000);
    analysis.totalSynths = outcomeCount;
    analysis.executionTimeSeconds = 42;
    analysis.aggregatedOutcomes = {
      did_not_try_rate: 1 - tried / outcomeCount,
      failed_rate: (tried - won) / outcomeCount,
      success_rate: won / outcomeCount,
    };
  });
}

async function storeExploration(database: Database): Promise<void> {
  await database.transact(async ({ analysisRuns, explorations, scenarioNodes }) => {
    const baselineAnalysis = await analysisRuns.get(keys.analysis);
    const success = baselineAnalysis.aggregatedOutcomes?.success_rate ?? 0;
    const exploration = explorations.add({
      id: keys.exploration,
      experiment: keys.experiment,
      baselineAnalysis,
      goal: { metric: 'success_rate', operator: '>=', value: 0.6 },
      config: { beam_width: 3, max_depth: 5, max_llm_calls: 20 },
      startedAt,
    });
    const params: ScorecardParams = {
      complexity: 0.35,
      initial_effort: 0.4,
      perceived_risk: 0.55,
      time_to_value: 0.2,
    };
    const node = (
      id: string,
      parent: ScenarioNode | null,
      step: Partial<ScorecardParams>,
      gain: number,
      shortAction: string | null,
    ) =>
      scenarioNodes.add({
        id: `node_demo_${id}`,
        exploration,
        parent,
        depth: parent ? parent.depth + 1 : 0,
        shortAction,
        actionCategory: parent ? 'flow' : null,
        scorecardParams: { ...(parent?.scorecardParams ?? params), ...step },
        simulationResults: results((parent?.simulationResults?.success_rate ?? success) + gain),
        createdAt: startedAt,
      });
    const root = node('root', null, {}, 0, null);
    const fewer = node('fewer_fields', root, { initial_effort: 0.3 }, 0.05, 'Menos campos');
    const trust = node('trust_seal', root, { perceived_risk: 0.45 }, 0.03, 'Selo de segurança');
    const undo = node('undo', fewer, { perceived_risk: 0.48 }, 0.06, 'Desfazer por 10 s');
    trust.nodeStatus = 'dominated';
    undo.nodeStatus = 'winner';
    Object.assign(exploration, { currentDepth: 2, totalNodes: 4, totalLlmCalls: 3 });
    exploration.bestSuccessRate = undo.simulationResults?.success_rate ?? null;
  });
}

function results(success: number): SimulationResults {
  const success_rate = Number(success.toFixed(3));
  const did_not_try_rate = 0.2;
  return {
    success_rate,
    did_not_try_rate,
    fail_rate: Number((1 - success_rate - did_not_try_rate).toFixed(3)),
  };
}

function synthKey(i: number): string {
  return `syn_demo_${String(i).padStart(4, '0')}`;
}
