import type { ReadingUnitOfWork, UnitOfWork } from '../../src/database/units/unit-of-work.ts';
import { executiveSummary, insight } from './payloads.ts';
import { generationBegan, type World } from './world.ts';

/** How one writing method is called, so that it has something to write. */
type Write<Repository> = (repository: Repository, world: World) => unknown;

type Writes = {
  readonly [Name in keyof ReadingUnitOfWork]: {
    readonly [
      Method in Exclude<keyof UnitOfWork[Name], keyof ReadingUnitOfWork[Name] | 'add' | 'remove'>
    ]: Write<UnitOfWork[Name]>;
  };
};

/** Every method of every repository by the names that they have in a unit of work, but for those that read, `add` and `remove`. */
export const writes: Writes = {
  analysisCache: {
    saveEntry: (cache, { run }) => cache.saveEntry(run, 'mine', { n: 1 }),
    saveEntries: (cache, { run }) => cache.saveEntries(run, { mine: { n: 1 }, yours: { n: 2 } }),
    deleteEntry: (cache, { run }) => cache.deleteEntry(run, 'insight_0'),
    deleteEntries: (cache, { run }) => cache.deleteEntries(run),
    saveChartInsight: (cache, { run }) => cache.saveChartInsight({ ...insight('0'), analysis_id: run }),
    saveExecutiveSummary: (cache, { run }) =>
      cache.saveExecutiveSummary({ ...executiveSummary(), analysis_id: run }),
  },
  analysisRuns: {
    lock: (runs, { run }) => runs.lock(run),
    lockNextPending: (runs) => runs.lockNextPending(),
    saveStatus: (runs, { run }) => runs.saveStatus(run, 'failed'),
    deleteByExperiment: (runs, { experiment }) => runs.deleteByExperiment(experiment),
  },
  chartInsights: {
    saveInsight: (insights, { run }) => insights.saveInsight(run, 'chart 0', insight()),
    saveExecutiveSummary: (insights, { run }) => insights.saveExecutiveSummary(run, 'All went well.'),
    removeByType: (insights, { run }) => insights.removeByType(run, 'chart 0'),
    deleteBySimulation: (insights, { run }) => insights.deleteBySimulation(run),
  },
  experimentDocuments: {
    saveDocument: (documents, { experiment }) =>
      documents.saveDocument(experiment, 'summary', { markdown: '# All', metadata: null, model: 'm' }),
    startGenerating: (documents, { experiment }) =>
      documents.startGenerating(experiment, 'summary', { model: 'm' }),
    finishGenerating: (documents, { aside }) =>
      documents.finishGenerating(aside.experiment, 'summary', generationBegan.toISOString(), {
        status: 'failed',
        error: 'none',
      }),
    removeByType: (documents, { experiment }) => documents.removeByType(experiment, 'summary'),
  },
  experiments: {
    revise: (experiments, { experiment }) => experiments.revise(experiment, { name: 'Another' }),
    saveScorecard: (experiments, { experiment }) => experiments.saveScorecard(experiment, null),
    softDelete: (experiments, { experiment }) => experiments.softDelete(experiment),
    restore: (experiments, { aside }) => experiments.restore(aside.experiment),
  },
  explorations: {
    lock: (explorations, { exploration }) => explorations.lock(exploration),
    recordLlmCalls: (explorations, { exploration }) => explorations.recordLlmCalls(exploration, 1),
    recordProgress: (explorations, { exploration }) => explorations.recordProgress(exploration, { nodes: 1 }),
    finish: (explorations, { exploration }) => explorations.finish(exploration, 'goal_achieved'),
  },
  featureScorecards: {},
  interviewGuides: {
    insertIfAbsent: (guides, { aside }) => guides.insertIfAbsent(aside.experiment, { questions: 'Why?' }),
    revise: (guides, { experiment }) => guides.revise(experiment, { questions: 'Why?' }),
    removeByExperiment: (guides, { experiment }) => guides.removeByExperiment(experiment),
  },
  regionAnalyses: {
    addAll: (regions, { run }) => regions.addAll([aRegionOf(run)]),
    deleteBySimulation: (regions, { run }) => regions.deleteBySimulation(run),
  },
  researchExecutions: {
    lockNextPending: (executions) => executions.lockNextPending(),
    saveStatus: (executions, { execution }) => executions.saveStatus(execution, 'running'),
    recordInterviews: (executions, { execution }) =>
      executions.recordInterviews(execution, { successful: 1, failed: 1 }),
  },
  scenarioNodes: {
    revise: (nodes, { leaf }) => nodes.revise(leaf, { nodeStatus: 'dominated' }),
    saveSimulation: (nodes, { leaf }) => nodes.saveSimulation(leaf, null, 1),
    saveStatusBatch: (nodes, { leaf }) => nodes.saveStatusBatch([leaf], 'dominated'),
  },
  sensitivityResults: {
    deleteBySimulation: (results, { run }) => results.deleteBySimulation(run),
  },
  simulationRuns: {},
  synthGroups: {
    ensureDefault: (groups) => groups.ensureDefault(),
    ensureNamed: (groups) => groups.ensureNamed('Grocery shoppers'),
  },
  synthOutcomes: {
    saveAll: (outcomes, { run, synths }) => outcomes.saveAll(run, synths.map(anOutcomeOf)),
    deleteByAnalysis: (outcomes, { run }) => outcomes.deleteByAnalysis(run),
  },
  synths: {
    saveSynth: (synths, world) => synths.saveSynth({ id: aSynthOf(world), name: 'Ana Lima' }),
    saveAvatarPath: (synths, world) => synths.saveAvatarPath(aSynthOf(world), null),
  },
  transcripts: {
    addInterview: (transcripts, { execution }) =>
      transcripts.addInterview(execution, { synthId: 'syn_other', synthName: 'Ana Lima', messages: [] }),
  },
};

/** What writes nothing by itself: the next flush does. */
export const staging: readonly string[] = [
  'chartInsights.removeByType',
  'experimentDocuments.removeByType',
  'experiments.revise',
  'interviewGuides.removeByExperiment',
  'interviewGuides.revise',
  'regionAnalyses.addAll',
  'scenarioNodes.revise',
  'transcripts.addInterview',
];

function aSynthOf({ synths }: World): string {
  return synths[0] ?? '';
}

function anOutcomeOf(synthId: string) {
  return { synthId, didNotTryRate: 0.5, failedRate: 0.25, successRate: 0.25, synthAttributes: null };
}

function aRegionOf(simulationId: string) {
  return {
    simulationId,
    rules: [],
    ruleText: 'any',
    synthCount: 1,
    synthPercentage: 1,
    didNotTryRate: 0,
    failedRate: 1,
    successRate: 0,
    failureDelta: 1,
  };
}
