import type { EntityClass, EntityManager, RequiredEntityData } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
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
  SynthGroup,
  SynthOutcome,
  Transcript,
} from '../entities.ts';

// Each function stages one valid row on `em`, to be written by the next flush; a test states the columns that it is about and
// leaves the rest. A parent that the row can't do without is staged too, unless it is given.

/** What a test says of a row; the factory fills in the rest. */
type Overrides<E extends object> = Partial<RequiredEntityData<E>>;

/** Stages an active experiment without a scorecard. */
export function anExperiment(em: EntityManager, overrides: Overrides<Experiment> = {}): Experiment {
  return stage(em, Experiment, {
    name: 'Checkout in one step',
    hypothesis: 'Fewer steps lead to more finished purchases.',
    ...overrides,
  });
}

/** Stages an interview guide, and its experiment unless given. */
export function anInterviewGuide(
  em: EntityManager,
  overrides: Overrides<InterviewGuide> = {},
): InterviewGuide {
  return stage(em, InterviewGuide, {
    experiment: overrides.experiment ?? anExperiment(em),
    contextDefinition: 'A customer buys groceries online.',
    questions: 'What made you stop?',
    contextExamples: 'The total was higher than expected.',
    ...overrides,
  });
}

/** Stages a group without synths. */
export function aSynthGroup(em: EntityManager, overrides: Overrides<SynthGroup> = {}): SynthGroup {
  return stage(em, SynthGroup, { name: 'Grocery shoppers', ...overrides });
}

/** Stages a synth that belongs to no group. */
export function aSynth(em: EntityManager, overrides: Overrides<Synth> = {}): Synth {
  return stage(em, Synth, {
    name: 'Maria Souza',
    data: { demografia: { idade: 42, escolaridade: 'Médio completo' }, observables: observables() },
    ...overrides,
  });
}

/** Stages a pending analysis run, and its experiment unless given. */
export function anAnalysisRun(em: EntityManager, overrides: Overrides<AnalysisRun> = {}): AnalysisRun {
  return stage(em, AnalysisRun, {
    experiment: overrides.experiment ?? anExperiment(em),
    config: { n_synths: 500, n_executions: 100, sigma: 0.05 },
    startedAt: new Date(),
    ...overrides,
  });
}

/** Stages the outcome of a synth that exists nowhere else, and its analysis run unless given. */
export function aSynthOutcome(em: EntityManager, overrides: Overrides<SynthOutcome> = {}): SynthOutcome {
  return stage(em, SynthOutcome, {
    analysis: overrides.analysis ?? anAnalysisRun(em),
    synthId: `syn_${uuidv7()}`,
    didNotTryRate: 0.2,
    failedRate: 0.3,
    successRate: 0.5,
    synthAttributes: { observables: observables(), latent_traits: latentTraits() },
    ...overrides,
  });
}

/** Stages the cached chart `distribution`, and its analysis run unless given. */
export function anAnalysisCache(em: EntityManager, overrides: Overrides<AnalysisCache> = {}): AnalysisCache {
  const chart = {
    distributions: [],
    summary: {},
    worst_performers: [],
    best_performers: [],
    total_synths: 0,
  };
  const cache = stage(em, AnalysisCache, {
    analysis: overrides.analysis ?? anAnalysisRun(em),
    cacheKey: 'distribution',
    data: chart,
    computedAt: new Date(),
    ...overrides,
  });
  if (overrides.data === undefined) cache.data = { simulation_id: cache.analysis.id, ...chart };
  return cache;
}

/** Stages a pending research execution that belongs to no experiment. */
export function aResearchExecution(
  em: EntityManager,
  overrides: Overrides<ResearchExecution> = {},
): ResearchExecution {
  return stage(em, ResearchExecution, { topicName: 'checkout', startedAt: new Date(), ...overrides });
}

/** Stages the transcript of a synth that exists nowhere else, and its research execution unless given. */
export function aTranscript(em: EntityManager, overrides: Overrides<Transcript> = {}): Transcript {
  return stage(em, Transcript, {
    execution: overrides.execution ?? aResearchExecution(em),
    synthId: `syn_${uuidv7()}`,
    synthName: 'Maria Souza',
    recordedAt: new Date(),
    messages: [
      { speaker: 'Interviewer', text: 'What made you stop?' },
      { speaker: 'Maria Souza', text: 'The delivery fee.', internal_notes: null },
    ],
    turnCount: 1,
    ...overrides,
  });
}

/** Stages a running exploration; unless given, its experiment and that experiment's analysis run. */
export function anExploration(em: EntityManager, overrides: Overrides<Exploration> = {}): Exploration {
  const baseline = overrides.baselineAnalysis;
  const experiment =
    overrides.experiment ?? (baseline instanceof AnalysisRun ? baseline.experiment : anExperiment(em));
  return stage(em, Exploration, {
    experiment,
    baselineAnalysis: baseline ?? anAnalysisRun(em, { experiment }),
    goal: { metric: 'success_rate', operator: '>=', value: 0.8 },
    config: { beam_width: 3, max_depth: 5, max_llm_calls: 20, n_executions: 100, sigma: 0.1 },
    startedAt: new Date(),
    ...overrides,
  });
}

/** Stages a node one level below its parent, or a root where none is given, and its exploration unless given. */
export function aScenarioNode(em: EntityManager, overrides: Overrides<ScenarioNode> = {}): ScenarioNode {
  const parent = overrides.parent instanceof ScenarioNode ? overrides.parent : undefined;
  return stage(em, ScenarioNode, {
    exploration: overrides.exploration ?? parent?.exploration ?? anExploration(em),
    depth: parent ? parent.depth + 1 : 0,
    scorecardParams: { complexity: 0.5, initial_effort: 0.4, perceived_risk: 0.3, time_to_value: 0.2 },
    ...overrides,
  });
}

/** Stages the insight into the chart `distribution` of a simulation that exists nowhere else. */
export function aChartInsight(em: EntityManager, overrides: Overrides<ChartInsight> = {}): ChartInsight {
  const { simulationId = `ana_${uuidv7()}`, insightType = 'distribution' } = overrides;
  return stage(em, ChartInsight, {
    simulationId,
    insightType,
    responseJson: {
      analysis_id: simulationId,
      chart_type: insightType,
      summary: 'Half of the synths succeed.',
      generation_timestamp: '2026-01-01T00:00:00Z',
      status: 'completed',
    },
    ...overrides,
  });
}

/** Stages a sensitivity result of a simulation that exists nowhere else. */
export function aSensitivityResult(
  em: EntityManager,
  overrides: Overrides<SensitivityResult> = {},
): SensitivityResult {
  return stage(em, SensitivityResult, {
    simulationId: `ana_${uuidv7()}`,
    analyzedAt: new Date(),
    deltasUsed: [-0.1, 0.1],
    baselineSuccess: 0.5,
    mostSensitiveDimension: 'complexity',
    dimensions: [
      {
        dimension: 'complexity',
        baseline_value: 0.5,
        deltas_tested: [-0.1, 0.1],
        outcomes_by_delta: { '-0.1': { did_not_try: 0.2, failed: 0.2, success: 0.6 } },
        sensitivity_index: 1.2,
        rank: 1,
      },
    ],
    ...overrides,
  });
}

/** Stages a region of a simulation that exists nowhere else. */
export function aRegionAnalysis(
  em: EntityManager,
  overrides: Overrides<RegionAnalysis> = {},
): RegionAnalysis {
  return stage(em, RegionAnalysis, {
    simulationId: `ana_${uuidv7()}`,
    rules: [{ attribute: 'digital_literacy', operator: '<=', threshold: 0.3 }],
    ruleText: 'digital_literacy <= 0.3',
    synthCount: 50,
    synthPercentage: 10,
    didNotTryRate: 0.2,
    failedRate: 0.6,
    successRate: 0.2,
    failureDelta: 0.3,
    ...overrides,
  });
}

/** Stages a completed summary, and its experiment unless given. */
export function anExperimentDocument(
  em: EntityManager,
  overrides: Overrides<ExperimentDocument> = {},
): ExperimentDocument {
  return stage(em, ExperimentDocument, {
    experiment: overrides.experiment ?? anExperiment(em),
    documentType: 'summary',
    markdownContent: '# Summary',
    generatedAt: new Date(),
    ...overrides,
  });
}

/** Stages a legacy scorecard that belongs to no experiment. */
export function aFeatureScorecard(
  em: EntityManager,
  overrides: Overrides<FeatureScorecard> = {},
): FeatureScorecard {
  return stage(em, FeatureScorecard, {
    data: {
      id: 'a1b2c3d4',
      identification: { feature_name: 'Checkout', use_scenario: 'Buying groceries' },
      description_text: 'Checkout in one step.',
      complexity: { score: 0.5 },
      initial_effort: { score: 0.4 },
      perceived_risk: { score: 0.3 },
      time_to_value: { score: 0.2 },
    },
    ...overrides,
  });
}

/** Stages a pending legacy simulation, and its scorecard unless given. */
export function aSimulationRun(em: EntityManager, overrides: Overrides<SimulationRun> = {}): SimulationRun {
  return stage(em, SimulationRun, {
    scorecard: overrides.scorecard ?? aFeatureScorecard(em),
    scenarioId: 'baseline',
    config: { n_synths: 500, n_executions: 100, sigma: 0.05 },
    startedAt: new Date(),
    ...overrides,
  });
}

// Made anew for each row, since a test may change a document in place.
const observables = () => ({
  digital_literacy: 0.6,
  similar_tool_experience: 0.5,
  motor_ability: 0.9,
  time_availability: 0.4,
  domain_expertise: 0.3,
});

const latentTraits = () => ({
  capability_mean: 0.58,
  trust_mean: 0.54,
  friction_tolerance_mean: 0.5,
  exploration_prob: 0.53,
});

function stage<E extends object>(em: EntityManager, entity: EntityClass<E>, data: RequiredEntityData<E>): E {
  return em.create(entity, data, { persist: true });
}
