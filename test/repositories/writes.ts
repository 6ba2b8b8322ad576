import type { ReadingUnitOfWork, UnitOfWork } from '../../src/database/units/unit-of-work.ts';
import { executiveSummary, insight } from './payloads.ts';
import { generationBegan, type World } from './world.ts';

/** How one writing method is called, so that it has something to write. */
type Write<Repository> = (repository: Repository, world: World) => unknown;

type Writes = {
  readonly [Name in keyof ReadingUnitOfWork]?: {
    readonly [
      Method in Exclude<keyof UnitOfWork[Name], keyof ReadingUnitOfWork[Name] | 'add' | 'remove'>
    ]?: Write<UnitOfWork[Name]>;
  };
};

/** How methods that lock, stage or write are called, where their arguments can't be derived from their signatures. */
export const writes: Writes = {
  analysisCache: {
    saveEntry: (cache, { run }) => cache.saveEntry(run, 'mine', { n: 1 }),
    saveEntries: (cache, { run }) => cache.saveEntries(run, { mine: { n: 1 }, yours: { n: 2 } }),
    saveChartInsight: (cache, { run }) => cache.saveChartInsight({ ...insight('0'), analysis_id: run }),
    saveExecutiveSummary: (cache, { run }) =>
      cache.saveExecutiveSummary({ ...executiveSummary(), analysis_id: run }),
  },
  analysisRuns: {
    saveStatus: (runs, { run }) => runs.saveStatus(run, 'failed'),
  },
  chartInsights: {
    saveInsight: (insights, { run }) => insights.saveInsight(run, 'chart 0', insight()),
    saveExecutiveSummary: (insights, { run }) => insights.saveExecutiveSummary(run, 'All went well.'),
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
  },
  experiments: {
    update: (experiments, { experiment }) => experiments.update(experiment, { name: 'Another' }),
    saveScorecard: (experiments, { experiment }) => experiments.saveScorecard(experiment, null),
    restore: (experiments, { aside }) => experiments.restore(aside.experiment),
  },
  explorations: {
    recordProgress: (explorations, { exploration }) => explorations.recordProgress(exploration, { nodes: 1 }),
    finish: (explorations, { exploration }) => explorations.finish(exploration, 'goal_achieved'),
  },
  interviewGuides: {
    insertIfAbsent: (guides, { aside }) => guides.insertIfAbsent(aside.experiment, { questions: 'Why?' }),
    update: (guides, { experiment }) => guides.update(experiment, { questions: 'Why?' }),
  },
  regionAnalyses: {
    addAll: (regions, { run }) => regions.addAll([aRegionOf(run)]),
  },
  researchExecutions: {
    saveStatus: (executions, { execution }) => executions.saveStatus(execution, 'running'),
  },
  scenarioNodes: {
    update: (nodes, { leaf }) => nodes.update(leaf, { nodeStatus: 'dominated' }),
    saveSimulation: (nodes, { leaf }) => nodes.saveSimulation(leaf, null, 1),
    saveStatusBatch: (nodes, { leaf }) => nodes.saveStatusBatch([leaf], 'dominated'),
  },
  synthOutcomes: {
    saveAll: (outcomes, { run, synths }) => outcomes.saveAll(run, synths.map(anOutcomeOf)),
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
