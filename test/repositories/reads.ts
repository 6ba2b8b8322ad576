import type { ReadingUnitOfWork } from '../../src/database/unit-of-work.ts';
import type { World } from './world.ts';

/** How one reading method is called, so that it reads as many rows as a world has. */
type Read<Repository> = (repository: Repository, world: World) => unknown;

type Reads = {
  readonly [Name in keyof ReadingUnitOfWork]: {
    readonly [Method in keyof ReadingUnitOfWork[Name]]: Read<ReadingUnitOfWork[Name]>;
  };
};

/** Every reading method of every repository, by the names that they have in a unit of work. */
export const reads: Reads = {
  analysisCache: {
    find: (cache, { run }) => cache.find([run, 'insight_0']),
    get: (cache, { run }) => cache.get([run, 'insight_0']),
    findEntry: (cache, { run }) => cache.findEntry(run, 'insight_0'),
    listEntries: (cache, { run }) => cache.listEntries(run),
    findChartInsight: (cache, { run }) => cache.findChartInsight(run, '0'),
    listChartInsights: (cache, { run }) => cache.listChartInsights(run),
    findExecutiveSummary: (cache, { aside }) => cache.findExecutiveSummary(aside.run),
  },
  analysisRuns: {
    find: (runs, { run }) => runs.find(run),
    get: (runs, { run }) => runs.get(run),
    findByExperiment: (runs, { experiment }) => runs.findByExperiment(experiment),
    getByExperiment: (runs, { experiment }) => runs.getByExperiment(experiment),
    findLatestCompletedKey: (runs, { experiment }) => runs.findLatestCompletedKey(experiment),
  },
  chartInsights: {
    find: (insights, { insight }) => insights.find(insight),
    get: (insights, { insight }) => insights.get(insight),
    findByType: (insights, { run }) => insights.findByType(run, 'chart 0'),
    getByType: (insights, { run }) => insights.getByType(run, 'chart 0'),
    listBySimulation: (insights, { run }) => insights.listBySimulation(run),
    findExecutiveSummary: (insights, { run }) => insights.findExecutiveSummary(run),
  },
  experimentDocuments: {
    find: (documents, { document }) => documents.find(document),
    get: (documents, { document }) => documents.get(document),
    findByType: (documents, { experiment }) => documents.findByType(experiment, 'summary'),
    getByType: (documents, { experiment }) => documents.getByType(experiment, 'summary'),
    listSummaries: (documents, { experiment }) => documents.listSummaries(experiment),
    findMarkdown: (documents, { experiment }) => documents.findMarkdown(experiment, 'summary'),
    findStatus: (documents, { experiment }) => documents.findStatus(experiment, 'summary'),
    existsByType: (documents, { experiment }) => documents.existsByType(experiment),
  },
  experiments: {
    find: (experiments, { experiment }) => experiments.find(experiment),
    get: (experiments, { experiment }) => experiments.get(experiment),
    getSummary: (experiments, { experiment }) => experiments.getSummary(experiment),
    pageSummaries: (experiments, { limit }) => experiments.pageSummaries({ limit }),
    listSummaries: (experiments, { limit }) => experiments.listSummaries({ limit }),
  },
  explorations: {
    find: (explorations, { exploration }) => explorations.find(exploration),
    get: (explorations, { exploration }) => explorations.get(exploration),
    getSummary: (explorations, { exploration }) => explorations.getSummary(exploration),
    pageSummaries: (explorations, { experiment, limit }) => explorations.pageSummaries(experiment, { limit }),
    listSummaries: (explorations, { experiment, limit }) => explorations.listSummaries(experiment, { limit }),
  },
  featureScorecards: {
    find: (scorecards, { scorecard }) => scorecards.find(scorecard),
    get: (scorecards, { scorecard }) => scorecards.get(scorecard),
    page: (scorecards, { experiment, limit }) => scorecards.page({ experimentId: experiment, limit }),
    count: (scorecards, { experiment }) => scorecards.count({ experimentId: experiment }),
  },
  interviewGuides: {
    find: (guides, { experiment }) => guides.find(experiment),
    get: (guides, { experiment }) => guides.get(experiment),
    exists: (guides, { experiment }) => guides.exists(experiment),
  },
  regionAnalyses: {
    find: (regions, { region }) => regions.find(region),
    get: (regions, { region }) => regions.get(region),
    listBySimulation: (regions, { run }) => regions.listBySimulation(run),
  },
  researchExecutions: {
    find: (executions, { execution }) => executions.find(execution),
    get: (executions, { execution }) => executions.get(execution),
    getDetail: (executions, { execution }) => executions.getDetail(execution),
    pageSummaries: (executions, { experiment, limit }) => executions.pageSummaries({ experiment, limit }),
    listSummaries: (executions, { experiment, limit }) => executions.listSummaries({ experiment, limit }),
    findAutoInterview: (executions, { experiment }) => executions.findAutoInterview(experiment),
    existsSummaryBatch: (research, { executions }) => research.existsSummaryBatch(executions),
    existsPrfaqBatch: (research, { executions }) => research.existsPrfaqBatch(executions),
    existsAdditionalContextBatch: (research, { executions }) =>
      research.existsAdditionalContextBatch(executions),
    listAdditionalContextBatch: (research, { executions }) => research.listAdditionalContextBatch(executions),
  },
  scenarioNodes: {
    find: (nodes, { leaf }) => nodes.find(leaf),
    get: (nodes, { leaf }) => nodes.get(leaf),
    getSummary: (nodes, { leaf }) => nodes.getSummary(leaf),
    findRoot: (nodes, { exploration }) => nodes.findRoot(exploration),
    findWinner: (nodes, { aside }) => nodes.findWinner(aside.exploration),
    findBest: (nodes, { exploration }) => nodes.findBest(exploration),
    listByExploration: (nodes, { exploration }) => nodes.listByExploration(exploration),
    listFrontier: (nodes, { exploration }) => nodes.listFrontier(exploration),
    listChildren: (nodes, { aside }) => nodes.listChildren(aside.root),
    listPath: (nodes, { leaf }) => nodes.listPath(leaf),
    countByStatus: (nodes, { exploration }) => nodes.countByStatus(exploration),
  },
  sensitivityResults: {
    find: (results, { result }) => results.find(result),
    get: (results, { result }) => results.get(result),
    findLatest: (results, { run }) => results.findLatest(run),
  },
  simulationRuns: {
    find: (runs, { simulation }) => runs.find(simulation),
    get: (runs, { simulation }) => runs.get(simulation),
    page: (runs, { experiment, limit }) => runs.page({ experimentId: experiment, limit }),
    count: (runs, { experiment }) => runs.count({ experimentId: experiment }),
    pageOutcomes: (runs, { simulation, limit }) => runs.pageOutcomes(simulation, { limit }),
  },
  synthGroups: {
    find: (groups, { group }) => groups.find(group),
    get: (groups, { group }) => groups.get(group),
    findSummary: (groups, { group }) => groups.findSummary(group),
    findDetail: (groups, { group, limit }) => groups.findDetail(group, { limit }),
    pageSummaries: (groups, { limit }) => groups.pageSummaries({ limit }),
    listSummaries: (groups, { limit }) => groups.listSummaries({ limit }),
  },
  synthOutcomes: {
    find: (outcomes, { outcome }) => outcomes.find(outcome),
    get: (outcomes, { outcome }) => outcomes.get(outcome),
    findForSynth: (outcomes, world) => outcomes.findForSynth(world.run, aSynthOf(world)),
    findLatestForSynth: (outcomes, world) => outcomes.findLatestForSynth(aSynthOf(world)),
    listForAnalysis: (outcomes, { run }) => outcomes.listForAnalysis(run),
    pageForAnalysis: (outcomes, { run, limit }) => outcomes.pageForAnalysis(run, { limit }),
    countForAnalysis: (outcomes, { run }) => outcomes.countForAnalysis(run),
    findStatistics: (outcomes, { run }) => outcomes.findStatistics(run),
  },
  synths: {
    find: (synths, world) => synths.find(aSynthOf(world)),
    get: (synths, world) => synths.get(aSynthOf(world)),
    getDetail: (synths, world) => synths.getDetail(aSynthOf(world)),
    getAvatarPath: (synths, world) => synths.getAvatarPath(aSynthOf(world)),
    pageSummaries: (synths, { group, limit }) => synths.pageSummaries({ group, limit }),
    listSummaries: (synths, { group, limit }) => synths.listSummaries({ group, limit }),
    listDetails: (synths, { group, limit }) => synths.listDetails({ group, limit }),
    search: (synths, { group, limit }) => synths.search({ group, text: 'a', limit }),
    searchSummaries: (synths, { group, limit }) => synths.searchSummaries({ group, text: 'a', limit }),
    count: (synths, { group }) => synths.count({ group }),
    listFields: (synths) => synths.listFields(),
    getExtremeCases: (synths, { aside, size }) => synths.getExtremeCases(aside.experiment, size),
    listForSimulation: (synths, { experiment }) => synths.listForSimulation(experiment),
  },
  transcripts: {
    find: (transcripts, { transcript }) => transcripts.find(transcript),
    get: (transcripts, { transcript }) => transcripts.get(transcript),
    getDetail: (transcripts, world) => transcripts.getDetail(world.execution, aSynthOf(world)),
    pageSummaries: (transcripts, { execution, limit }) => transcripts.pageSummaries(execution, { limit }),
    listSummaries: (transcripts, { execution, limit }) => transcripts.listSummaries(execution, { limit }),
    countTurnsBatch: (transcripts, { executions }) => transcripts.countTurnsBatch(executions),
  },
};

/** What reads another number of rows than a world has. */
export const otherRows: Readonly<Record<string, number | undefined>> = {
  // An experiment has one of each type at most.
  'experimentDocuments.listSummaries': 2,
};

/** What is known without the database. */
export const withoutStatement: readonly string[] = ['synths.listFields'];

function aSynthOf({ synths }: World): string {
  return synths[0] ?? '';
}
