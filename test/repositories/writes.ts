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
    removeEntry: (cache, { run }) => cache.removeEntry(run, 'insight_0'),
    removeEntries: (cache, { run }) => cache.removeEntries(run),
    saveChartInsight: (cache, { run }) => cache.saveChartInsight({ ...insight('0'), analysis_id: run }),
    saveExecutiveSummary: (cache, { run }) =>
      cache.saveExecutiveSummary({ ...executiveSummary(), analysis_id: run }),
  },
  analysisRuns: {
    lock: (runs, { run }) => runs.lock(run),
    lockNextPending: (runs) => runs.lockNextPending(),
    recordStatus: (runs, { run }) => runs.recordStatus(run, 'failed'),
    removeByExperiment: (runs, { experiment }) => runs.removeByExperiment(experiment),
  },
  chartInsights: {
    saveInsight: (insights, { run }) => insights.saveInsight(run, 'chart 0', insight()),
    saveExecutiveSummary: (insights, { run }) => insights.saveExecutiveSummary(run, 'All went well.'),
    removeByType: (insights, { run }) => insights.removeByType(run, 'chart 0'),
    removeBySimulation: (insights, { run }) => insights.removeBySimulation(run),
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
    addIfAbsent: (guides, { aside }) => guides.addIfAbsent(aside.experiment, { questions: 'Why?' }),
    revise: (guides, { experiment }) => guides.revise(experiment, { questions: 'Why?' }),
    removeByExperiment: (guides, { experiment }) => guides.removeByExperiment(experiment),
  },
  regionAnalyses: {
    addAll: (regions, { run }) => regions.addAll([aRegionOf(run)]),
    removeBySimulation: (regions, { run }) => regions.removeBySimulation(run),
  },
  researchExecutions: {
    lockNextPending: (executions) => executions.lockNextPending(),
    recordStatus: (executions, { execution }) => executions.recordStatus(execution, 'running'),
    recordInterviews: (executions, { execution }) =>
      executions.recordInterviews(execution, { successful: 1, failed: 1 }),
  },
  scenarioNodes: {
    revise: (nodes, { leaf }) => nodes.revise(leaf, { nodeStatus: 'dominated' }),
    saveSimulation: (nodes, { leaf }) => nodes.saveSimulation(leaf, null, 1),
    changeStatus: (nodes, { leaf }) => nodes.changeStatus([leaf], 'dominated'),
  },
  sensitivityResults: {
    removeBySimulation: (results, { run }) => results.removeBySimulation(run),
  },
  simulationRuns: {},
  synthGroups: {
    ensureDefault: (groups) => groups.ensureDefault(),
    ensureNamed: (groups) => groups.ensureNamed('Grocery shoppers'),
  },
  synthOutcomes: {
    saveAll: (outcomes, { run, synths }) => outcomes.saveAll(run, synths.map(anOutcomeOf)),
    removeForAnalysis: (outcomes, { run }) => outcomes.removeForAnalysis(run),
  },
  synths: {
    store: (synths, world) => synths.store({ id: aSynthOf(world), name: 'Ana Lima' }),
    saveAvatarPath: (synths, world) => synths.saveAvatarPath(aSynthOf(world), null),
  },
  transcripts: {
    record: (transcripts, { execution }) =>
      transcripts.record(execution, { synthId: 'syn_other', synthName: 'Ana Lima', messages: [] }),
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
  'transcripts.record',
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
