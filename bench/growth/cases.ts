import type { UnitOfWork } from '../../src/index.ts';
import type { ReadingUnitOfWork } from '../../src/database/units/unit-of-work.ts';
import { large, usual } from './seed.ts';

/** A call that is timed at both sizes. */
export interface Case {
  /** `<repository>.<method>` */
  readonly method: string;
  /** Which of its rows it reads; empty where there is no choice. */
  readonly of: string;
  readonly call: (uow: UnitOfWork, size: number) => Promise<unknown>;
  /** Whether it locks, and needs a transaction. */
  readonly locks: boolean;
}

type Calls<Method> = Readonly<Record<string, (repository: Method, size: number) => Promise<unknown>>>;

/** Of every method that reads, but those of one row by its key. Streams read what scrolls read. */
type Cases = {
  readonly [Name in keyof ReadingUnitOfWork]: {
    readonly [
      Method in Exclude<
        keyof ReadingUnitOfWork[Name],
        'find' | 'get' | 'findRow' | 'getRow' | `stream${string}`
      >
    ]: Calls<ReadingUnitOfWork[Name]>;
  };
};

const ofUsual = 'usual';
const ofLarge = 'large';
/** An offset within the rows of the smaller size. */
const deep = 9_000;

const reading: Cases = {
  analysisCache: {
    findEntry: { '': (cache) => cache.findEntry(usual.analysis, 'insight_chart_1') },
    listEntries: { '': (cache) => cache.listEntries(usual.analysis) },
    findChartInsight: { '': (cache) => cache.findChartInsight(usual.analysis, 'chart_1') },
    listChartInsights: { '': (cache) => cache.listChartInsights(usual.analysis) },
    findExecutiveSummary: { '': (cache) => cache.findExecutiveSummary(usual.analysis) },
  },
  analysisRuns: {
    findByExperiment: { '': (runs) => runs.findByExperiment(usual.experiment) },
    getByExperiment: { '': (runs) => runs.getByExperiment(usual.experiment) },
    findLatestCompletedKey: { '': (runs) => runs.findLatestCompletedKey(usual.experiment) },
  },
  chartInsights: {
    findByType: { '': (insights) => insights.findByType(usual.analysis, 'chart_1') },
    getByType: { '': (insights) => insights.getByType(usual.analysis, 'chart_1') },
    listBySimulation: { '': (insights) => insights.listBySimulation(usual.analysis) },
    findExecutiveSummary: { '': (insights) => insights.findExecutiveSummary(usual.analysis) },
  },
  experimentDocuments: {
    findByType: { '': (documents) => documents.findByType(usual.experiment, 'summary') },
    getByType: { '': (documents) => documents.getByType(usual.experiment, 'summary') },
    listSummaries: { '': (documents) => documents.listSummaries(usual.experiment) },
    findMarkdown: { '': (documents) => documents.findMarkdown(usual.experiment, 'summary') },
    findStatus: { '': (documents) => documents.findStatus(usual.experiment, 'summary') },
    existsByType: { '': (documents) => documents.existsByType(usual.experiment) },
  },
  experiments: {
    getSummary: { '': (experiments) => experiments.getSummary(usual.experiment) },
    pageSummaries: {
      'first page': (experiments) => experiments.pageSummaries(),
      'first page, total: estimate': (experiments) => experiments.pageSummaries({ total: 'estimate' }),
      'first page, total: none': (experiments) => experiments.pageSummaries({ total: 'none' }),
      'offset 9,000, total: none': (experiments) =>
        experiments.pageSummaries({ offset: deep, total: 'none' }),
      'by updatedAt': (experiments) => experiments.pageSummaries({ sortBy: 'updatedAt' }),
      'by name': (experiments) => experiments.pageSummaries({ sortBy: 'name', sortOrder: 'asc' }),
    },
    scrollSummaries: {
      'first page': (experiments) => experiments.scrollSummaries(),
      'by updatedAt': (experiments) => experiments.scrollSummaries({ sortBy: 'updatedAt' }),
      'by name': (experiments) => experiments.scrollSummaries({ sortBy: 'name', sortOrder: 'asc' }),
      deleted: (experiments) => experiments.scrollSummaries({ deleted: 'included' }),
    },
  },
  explorations: {
    getSummary: { '': (explorations) => explorations.getSummary(usual.exploration) },
    pageSummaries: {
      [ofUsual]: (explorations) => explorations.pageSummaries(usual.experiment),
      [ofLarge]: (explorations) => explorations.pageSummaries(large.experiment),
    },
    scrollSummaries: {
      [ofUsual]: (explorations) => explorations.scrollSummaries(usual.experiment),
      [ofLarge]: (explorations) => explorations.scrollSummaries(large.experiment),
    },
  },
  featureScorecards: {
    page: {
      'first page': (scorecards) => scorecards.page(),
      [ofUsual]: (scorecards) => scorecards.page({ experimentId: usual.experiment }),
    },
    scroll: {
      'first page': (scorecards) => scorecards.scroll(),
      [ofUsual]: (scorecards) => scorecards.scroll({ experimentId: usual.experiment }),
    },
    count: { '': (scorecards) => scorecards.count({ experimentId: usual.experiment }) },
  },
  interviewGuides: { exists: { '': (guides) => guides.exists(usual.experiment) } },
  regionAnalyses: { listBySimulation: { '': (regions) => regions.listBySimulation(usual.analysis) } },
  researchExecutions: {
    getDetail: { '': (executions) => executions.getDetail(usual.execution) },
    pageSummaries: {
      'first page': (executions) => executions.pageSummaries(),
      'first page, total: estimate': (executions) => executions.pageSummaries({ total: 'estimate' }),
      'first page, total: none': (executions) => executions.pageSummaries({ total: 'none' }),
      'offset 9,000, total: none': (executions) => executions.pageSummaries({ offset: deep, total: 'none' }),
      'by topicName': (executions) => executions.pageSummaries({ sortBy: 'topicName' }),
      'by status': (executions) => executions.pageSummaries({ sortBy: 'status' }),
      [ofUsual]: (executions) => executions.pageSummaries({ experiment: usual.experiment }),
    },
    scrollSummaries: {
      'first page': (executions) => executions.scrollSummaries(),
      'by topicName': (executions) => executions.scrollSummaries({ sortBy: 'topicName' }),
      'by status': (executions) => executions.scrollSummaries({ sortBy: 'status' }),
      [ofUsual]: (executions) => executions.scrollSummaries({ experiment: usual.experiment }),
      [ofLarge]: (executions) => executions.scrollSummaries({ experiment: large.experiment }),
      'without experiment': (executions) => executions.scrollSummaries({ experiment: null }),
    },
    findAutoInterviewSummary: {
      [ofUsual]: (executions) => executions.findAutoInterviewSummary(usual.experiment),
      [ofLarge]: (executions) => executions.findAutoInterviewSummary(large.experiment),
    },
    existsSummaryBatch: { '': (executions) => executions.existsSummaryBatch(keys('exec_')) },
    existsPrfaqBatch: { '': (executions) => executions.existsPrfaqBatch(keys('exec_')) },
    existsAdditionalContextBatch: {
      '': (executions) => executions.existsAdditionalContextBatch(keys('exec_')),
    },
    findAdditionalContextBatch: { '': (executions) => executions.findAdditionalContextBatch(keys('exec_')) },
  },
  scenarioNodes: {
    getSummary: { '': (nodes) => nodes.getSummary(usual.leaf) },
    findRoot: { [ofLarge]: (nodes) => nodes.findRoot(large.exploration) },
    findWinner: { [ofLarge]: (nodes) => nodes.findWinner(large.exploration) },
    findBestSummary: {
      [ofUsual]: (nodes) => nodes.findBestSummary(usual.exploration),
      [ofLarge]: (nodes) => nodes.findBestSummary(large.exploration),
    },
    listByExploration: {
      [ofUsual]: (nodes) => nodes.listByExploration(usual.exploration),
      [ofLarge]: (nodes) => nodes.listByExploration(large.exploration),
    },
    listFrontier: {
      [ofUsual]: (nodes) => nodes.listFrontier(usual.exploration),
      [ofLarge]: (nodes) => nodes.listFrontier(large.exploration),
    },
    listChildren: {
      [ofUsual]: (nodes) => nodes.listChildren(usual.root),
      [ofLarge]: (nodes) => nodes.listChildren(large.root),
    },
    listPath: {
      [ofUsual]: (nodes) => nodes.listPath(usual.leaf),
      [ofLarge]: (nodes, size) => nodes.listPath(large.leafOf(size)),
    },
    countByStatus: {
      [ofUsual]: (nodes) => nodes.countByStatus(usual.exploration),
      [ofLarge]: (nodes) => nodes.countByStatus(large.exploration),
    },
  },
  sensitivityResults: { findLatest: { '': (found) => found.findLatest(usual.analysis) } },
  simulationRuns: {
    page: {
      'first page': (runs) => runs.page(),
      [ofUsual]: (runs) => runs.page({ experimentId: usual.experiment }),
    },
    scroll: {
      'first page': (runs) => runs.scroll(),
      [ofUsual]: (runs) => runs.scroll({ experimentId: usual.experiment }),
    },
    count: { '': (runs) => runs.count({ scorecardId: usual.scorecard }) },
    pageOutcomes: { '': (runs) => runs.pageOutcomes(usual.simulation) },
    scrollOutcomes: { '': (runs) => runs.scrollOutcomes(usual.simulation) },
  },
  synthGroups: {
    findSummary: { [ofUsual]: (groups) => groups.findSummary(usual.group) },
    findDetail: {
      [ofUsual]: (groups) => groups.findDetail(usual.group),
      [ofLarge]: (groups) => groups.findDetail(large.group),
    },
    pageSummaries: { 'first page': (groups) => groups.pageSummaries({ limit: 10 }) },
    scrollSummaries: { 'first page': (groups) => groups.scrollSummaries({ first: 10 }) },
  },
  synthOutcomes: {
    findBySynth: { '': (outcomes) => outcomes.findBySynth(large.analysis, 'syn_10') },
    findLatestSummary: { '': (outcomes) => outcomes.findLatestSummary(usual.synth) },
    listSummaries: {
      [ofUsual]: (outcomes) => outcomes.listSummaries(usual.analysis),
      [ofLarge]: (outcomes) => outcomes.listSummaries(large.analysis),
    },
    pageSummaries: {
      [ofUsual]: (outcomes) => outcomes.pageSummaries(usual.analysis),
      [ofLarge]: (outcomes) => outcomes.pageSummaries(large.analysis),
      'large, by failedRate': (outcomes) => outcomes.pageSummaries(large.analysis, { sortBy: 'failedRate' }),
    },
    scrollSummaries: {
      [ofLarge]: (outcomes) => outcomes.scrollSummaries(large.analysis),
      'large, by failedRate': (outcomes) =>
        outcomes.scrollSummaries(large.analysis, { sortBy: 'failedRate' }),
    },
    count: {
      [ofUsual]: (outcomes) => outcomes.count(usual.analysis),
      [ofLarge]: (outcomes) => outcomes.count(large.analysis),
    },
    findStatistics: {
      [ofUsual]: (outcomes) => outcomes.findStatistics(usual.analysis),
      [ofLarge]: (outcomes) => outcomes.findStatistics(large.analysis),
    },
  },
  synths: {
    getDetail: { '': (synths) => synths.getDetail(usual.synth) },
    getAvatarPath: { '': (synths) => synths.getAvatarPath(usual.synth) },
    pageSummaries: {
      'first page': (synths) => synths.pageSummaries(),
      'first page, total: estimate': (synths) => synths.pageSummaries({ total: 'estimate' }),
      'first page, total: none': (synths) => synths.pageSummaries({ total: 'none' }),
      'offset 9,000, total: none': (synths) => synths.pageSummaries({ offset: deep, total: 'none' }),
      'by name': (synths) => synths.pageSummaries({ sortBy: 'name', sortOrder: 'asc' }),
      [ofUsual]: (synths) => synths.pageSummaries({ group: usual.group }),
      [ofLarge]: (synths) => synths.pageSummaries({ group: large.group }),
    },
    scrollSummaries: {
      'first page': (synths) => synths.scrollSummaries(),
      'by name': (synths) => synths.scrollSummaries({ sortBy: 'name', sortOrder: 'asc' }),
      'large, by name': (synths) =>
        synths.scrollSummaries({ group: large.group, sortBy: 'name', sortOrder: 'asc' }),
      'usual, by name': (synths) =>
        synths.scrollSummaries({ group: usual.group, sortBy: 'name', sortOrder: 'asc' }),
      'a rare word': (synths) => synths.scrollSummaries({ text: rare }),
      'a word in all': (synths) => synths.scrollSummaries({ text: 'MARIA' }),
      'a rare part': (synths) =>
        synths.scrollSummaries({ filters: { demografia: { localizacao: { cidade: 'C77' } } } }),
      'a usual part': (synths) =>
        synths.scrollSummaries({ filters: { demografia: { localizacao: { estado: 'SP' } } } }),
    },
    scrollDetails: { 'first page': (synths) => synths.scrollDetails() },
    count: {
      all: (synths) => synths.count(),
      [ofUsual]: (synths) => synths.count({ group: usual.group }),
    },
    listFields: { '': async (synths) => synths.listFields() },
    getExtremeCases: {
      [ofUsual]: (synths) => synths.getExtremeCases(usual.experiment),
      [ofLarge]: (synths) => synths.getExtremeCases(large.experiment),
    },
    listForSimulation: {
      [ofUsual]: (synths) => synths.listForSimulation(usual.experiment),
      'large, 200': (synths) => synths.listForSimulation(large.experiment, 200),
    },
  },
  transcripts: {
    getDetail: { '': (transcripts) => transcripts.getDetail(usual.execution, 'syn_222') },
    pageSummaries: {
      [ofUsual]: (transcripts) => transcripts.pageSummaries(usual.execution),
      [ofLarge]: (transcripts) => transcripts.pageSummaries(large.execution),
      'usual, by synthName': (transcripts) =>
        transcripts.pageSummaries(usual.execution, { sortBy: 'synthName' }),
    },
    scrollSummaries: {
      [ofUsual]: (transcripts) => transcripts.scrollSummaries(usual.execution),
      [ofLarge]: (transcripts) => transcripts.scrollSummaries(large.execution),
      'large, by synthName': (transcripts) =>
        transcripts.scrollSummaries(large.execution, { sortBy: 'synthName' }),
    },
    countTurnsBatch: { '': (transcripts) => transcripts.countTurnsBatch(keys('exec_')) },
  },
};

// The digest of a number that both sizes have.
const rare = 'c81e728d9d4c2f636f067f89cc14862c';

function keys(prefix: string): string[] {
  return Array.from({ length: 50 }, (_, index) => `${prefix}${index + 3}`);
}

/** Returns every case, by repository and method. */
export function cases(): Case[] {
  const read = Object.entries(reading).flatMap(([repository, methods]) =>
    Object.entries(methods).flatMap(([method, calls]) =>
      Object.entries<(target: never, size: number) => Promise<unknown>>(calls).map(([of, call]) => ({
        method: `${repository}.${method}`,
        of,
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `Cases` has each call under the name of its repository
        call: (uow: UnitOfWork, size: number) => call(Reflect.get(uow, repository) as never, size),
        locks: false,
      })),
    ),
  );
  return [
    ...read,
    {
      method: 'analysisRuns.lockNextPending',
      of: '',
      call: ({ analysisRuns }) => analysisRuns.lockNextPending(),
      locks: true,
    },
    {
      method: 'researchExecutions.lockNextPending',
      of: '',
      call: ({ researchExecutions }) => researchExecutions.lockNextPending(),
      locks: true,
    },
  ];
}
