import type { ReadingUnitOfWork } from '../../src/database/units/unit-of-work.ts';
import type { PageRequest, StretchRequest } from '../../src/index.ts';
import type { World } from './world.ts';

/** How one reading method is called, so that it reads as many rows as a world has. */
type Read<Repository> = (repository: Repository, world: World) => unknown;

/** How one that takes a request for a page is called with it. */
interface PageRead<Repository> {
  readonly page: (repository: Repository, world: World, request: PageRequest<never>) => unknown;
}

/** How one that takes a request for a stretch is called with it. */
interface StretchRead<Repository> {
  readonly stretch: (repository: Repository, world: World, request: StretchRequest) => unknown;
}

type LastParameter<Method> = Method extends (...given: infer Given) => unknown
  ? Required<Given> extends readonly [...unknown[], infer Last]
    ? NonNullable<Last>
    : unknown
  : unknown;

type ReadOf<Repository, Method> = 'after' extends keyof LastParameter<Method>
  ? StretchRead<Repository>
  : 'offset' extends keyof LastParameter<Method>
    ? PageRead<Repository>
    : Read<Repository>;

type Reads = {
  readonly [Name in keyof ReadingUnitOfWork]: {
    readonly [Method in keyof ReadingUnitOfWork[Name]]: ReadOf<
      ReadingUnitOfWork[Name],
      ReadingUnitOfWork[Name][Method]
    >;
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
    pageSummaries: { page: (experiments, _world, request) => experiments.pageSummaries(request) },
    listSummaries: { stretch: (experiments, _world, request) => experiments.listSummaries(request) },
  },
  explorations: {
    find: (explorations, { exploration }) => explorations.find(exploration),
    get: (explorations, { exploration }) => explorations.get(exploration),
    getSummary: (explorations, { exploration }) => explorations.getSummary(exploration),
    pageSummaries: {
      page: (explorations, { experiment }, request) => explorations.pageSummaries(experiment, request),
    },
    listSummaries: {
      stretch: (explorations, { experiment }, request) => explorations.listSummaries(experiment, request),
    },
  },
  featureScorecards: {
    find: (scorecards, { scorecard }) => scorecards.find(scorecard),
    get: (scorecards, { scorecard }) => scorecards.get(scorecard),
    page: {
      page: (scorecards, { experiment }, request) =>
        scorecards.page({ experimentId: experiment, ...request }),
    },
    list: {
      stretch: (scorecards, { experiment }, request) =>
        scorecards.list({ experimentId: experiment, ...request }),
    },
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
    pageSummaries: {
      page: (executions, { experiment }, request) => executions.pageSummaries({ experiment, ...request }),
    },
    listSummaries: {
      stretch: (executions, { experiment }, request) => executions.listSummaries({ experiment, ...request }),
    },
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
    page: { page: (runs, { experiment }, request) => runs.page({ experimentId: experiment, ...request }) },
    list: { stretch: (runs, { experiment }, request) => runs.list({ experimentId: experiment, ...request }) },
    count: (runs, { experiment }) => runs.count({ experimentId: experiment }),
    listOutcomes: { stretch: (runs, { simulation }, request) => runs.listOutcomes(simulation, request) },
    pageOutcomes: { page: (runs, { simulation }, request) => runs.pageOutcomes(simulation, request) },
  },
  synthGroups: {
    find: (groups, { group }) => groups.find(group),
    get: (groups, { group }) => groups.get(group),
    findSummary: (groups, { group }) => groups.findSummary(group),
    findDetail: { stretch: (groups, { group }, request) => groups.findDetail(group, request) },
    pageSummaries: { page: (groups, _world, request) => groups.pageSummaries(request) },
    listSummaries: { stretch: (groups, _world, request) => groups.listSummaries(request) },
  },
  synthOutcomes: {
    find: (outcomes, { outcome }) => outcomes.find(outcome),
    get: (outcomes, { outcome }) => outcomes.get(outcome),
    findForSynth: (outcomes, world) => outcomes.findForSynth(world.run, aSynthOf(world)),
    findLatestForSynth: (outcomes, world) => outcomes.findLatestForSynth(aSynthOf(world)),
    listForAnalysis: (outcomes, { run }) => outcomes.listForAnalysis(run),
    listSummaries: { stretch: (outcomes, { run }, request) => outcomes.listSummaries(run, request) },
    pageForAnalysis: { page: (outcomes, { run }, request) => outcomes.pageForAnalysis(run, request) },
    countForAnalysis: (outcomes, { run }) => outcomes.countForAnalysis(run),
    findStatistics: (outcomes, { run }) => outcomes.findStatistics(run),
  },
  synths: {
    find: (synths, world) => synths.find(aSynthOf(world)),
    get: (synths, world) => synths.get(aSynthOf(world)),
    getDetail: (synths, world) => synths.getDetail(aSynthOf(world)),
    getAvatarPath: (synths, world) => synths.getAvatarPath(aSynthOf(world)),
    pageSummaries: { page: (synths, { group }, request) => synths.pageSummaries({ group, ...request }) },
    listSummaries: { stretch: (synths, { group }, request) => synths.listSummaries({ group, ...request }) },
    listDetails: { stretch: (synths, { group }, request) => synths.listDetails({ group, ...request }) },
    search: { page: (synths, { group }, request) => synths.search({ group, text: 'a', ...request }) },
    searchSummaries: {
      stretch: (synths, { group }, request) => synths.searchSummaries({ group, text: 'a', ...request }),
    },
    count: (synths, { group }) => synths.count({ group }),
    listFields: (synths) => synths.listFields(),
    getExtremeCases: (synths, { aside, size }) => synths.getExtremeCases(aside.experiment, size),
    listForSimulation: (synths, { experiment }) => synths.listForSimulation(experiment),
  },
  transcripts: {
    find: (transcripts, { transcript }) => transcripts.find(transcript),
    get: (transcripts, { transcript }) => transcripts.get(transcript),
    getDetail: (transcripts, world) => transcripts.getDetail(world.execution, aSynthOf(world)),
    pageSummaries: {
      page: (transcripts, { execution }, request) => transcripts.pageSummaries(execution, request),
    },
    listSummaries: {
      stretch: (transcripts, { execution }, request) => transcripts.listSummaries(execution, request),
    },
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
