import type { ReadingUnitOfWork } from '../../src/database/units/unit-of-work.ts';
import * as entities from '../../src/entities.ts';
import type {
  CacheEntry,
  CursorPage,
  DocumentSummary,
  ExperimentSummary,
  ExplorationSummary,
  FeatureScorecardRow,
  OutcomeSummary,
  Page,
  ResearchExecutionSummary,
  ScenarioNodeSummary,
  SimulatedOutcome,
  SimulationRunRow,
  SynthDetail,
  SynthGroupSummary,
  SynthSummary,
  TranscriptSummary,
} from '../../src/repositories/index.ts';
import { orNull, type Kind } from './kinds.ts';

type Given<Method> = Method extends (...arguments_: never[]) => infer Result ? Awaited<Result> : never;

type Entity = { [Name in keyof typeof entities]: Made<(typeof entities)[Name]> }[keyof typeof entities];
type Made<Exported> = Exported extends abstract new (...arguments_: never[]) => infer Row ? Row : never;

// A read model may have all that an entity has, and more; it is one only where an entity has no less than it.
type IsEntity<Row, Of = Entity> = true extends (
  Of extends unknown ? ([Row] extends [Of] ? ([Of] extends [Row] ? true : false) : false) : never
)
  ? true
  : false;

/** Of each reading method that gives anything but a row to be changed, what it gives. */
type ReadShapes = {
  readonly [Name in keyof ReadingUnitOfWork]?: {
    readonly [
      Method in keyof ReadingUnitOfWork[Name] as IsEntity<
        NonNullable<Given<ReadingUnitOfWork[Name][Method]>>
      > extends true
        ? never
        : Method
    ]: Kind<Given<ReadingUnitOfWork[Name][Method]>>;
  };
};

const cacheEntry: Kind<CacheEntry> = {
  cacheKey: 'string',
  data: entities.JsonObject,
  params: entities.JsonObject.nullable(),
  computedAt: 'date',
};

const documentSummary: Kind<DocumentSummary> = {
  id: 'string',
  documentType: 'string',
  status: 'string',
  generatedAt: 'date',
  model: 'string',
  errorMessage: 'string | null',
};

const experimentSummary: Kind<ExperimentSummary> = {
  id: 'string',
  name: 'string',
  hypothesis: 'string',
  description: 'string | null',
  hasScorecard: 'boolean',
  hasAnalysis: 'boolean',
  hasInterviewGuide: 'boolean',
  interviewCount: 'number',
  createdAt: 'date',
  updatedAt: 'date | null',
};

const explorationSummary: Kind<ExplorationSummary> = {
  id: 'string',
  experimentId: 'string',
  baselineAnalysisId: 'string',
  goal: entities.ExplorationGoal,
  config: entities.ExplorationConfig,
  status: 'string',
  currentDepth: 'number',
  totalNodes: 'number',
  totalLlmCalls: 'number',
  bestSuccessRate: 'number | null',
  startedAt: 'date',
  completedAt: 'date | null',
};

const scorecardRow: Kind<FeatureScorecardRow> = {
  id: 'string',
  experimentId: 'string | null',
  data: entities.FeatureScorecardData,
  createdAt: 'date',
  updatedAt: 'date | null',
};

const executionSummary: Kind<ResearchExecutionSummary> = {
  id: 'string',
  experimentId: 'string | null',
  topicName: 'string',
  status: 'string',
  synthCount: 'number',
  startedAt: 'date',
  completedAt: 'date | null',
};

const nodeSummary: Kind<ScenarioNodeSummary> = {
  id: 'string',
  explorationId: 'string',
  parentId: 'string | null',
  depth: 'number',
  actionApplied: 'string | null',
  actionCategory: 'string | null',
  rationale: 'string | null',
  shortAction: 'string | null',
  scorecardParams: entities.ScorecardParams,
  simulationResults: entities.SimulationResults.nullable(),
  executionTimeSeconds: 'number | null',
  nodeStatus: 'string',
  createdAt: 'date',
};

const simulationRow: Kind<SimulationRunRow> = {
  id: 'string',
  scorecardId: 'string',
  scenarioId: 'string',
  config: entities.SimulationConfig,
  status: 'string',
  startedAt: 'date',
  completedAt: 'date | null',
  totalSynths: 'number',
  aggregatedOutcomes: entities.SimulationOutcomes.nullable(),
  executionTimeSeconds: 'number | null',
};

const outcomeSummary: Kind<OutcomeSummary> & Kind<SimulatedOutcome> = {
  id: 'string',
  synthId: 'string',
  didNotTryRate: 'number',
  failedRate: 'number',
  successRate: 'number',
  synthAttributes: entities.SimulationAttributes.nullable(),
};

const groupSummary: Kind<SynthGroupSummary> = {
  id: 'string',
  name: 'string',
  description: 'string | null',
  synthCount: 'number',
  createdAt: 'date',
};

const synthSummary: Kind<SynthSummary> = {
  id: 'string',
  synthGroupId: 'string | null',
  name: 'string',
  description: 'string | null',
  linkPhoto: 'string | null',
  avatarPath: 'string | null',
  createdAt: 'date',
  version: 'string',
};

const synthDetail: Kind<SynthDetail> = {
  ...synthSummary,
  demographics: entities.Demographics.nullable(),
  psychographics: entities.Psychographics.nullable(),
  disabilities: entities.Disabilities.nullable(),
  observables: entities.Observables.nullable(),
  simulationAttributes: entities.SimulationAttributes.nullable(),
};

const transcriptSummary: Kind<TranscriptSummary> = {
  id: 'string',
  synthId: 'string',
  synthName: 'string',
  status: 'string',
  turnCount: 'number',
  recordedAt: 'date',
};

/** What reading methods give, which is not to be changed; `ReadShapes` misses whatever is left out. */
export const readShapes: ReadShapes = {
  analysisCache: {
    findEntry: orNull(cacheEntry),
    listEntries: [cacheEntry],
    findChartInsight: entities.ChartInsightPayload.nullable(),
    listChartInsights: [
      { chartType: 'string', insight: entities.ChartInsightPayload.nullable(), invalid: 'error | null' },
    ],
    findExecutiveSummary: entities.ExecutiveSummaryPayload.nullable(),
  },
  analysisRuns: { findLatestCompletedKey: 'string | null' },
  chartInsights: {
    listBySimulation: [
      {
        id: 'string',
        insightType: 'string',
        responseJson: entities.JsonObject,
        createdAt: 'date',
        updatedAt: 'date | null',
        insight: entities.ChartInsightPayload.nullable(),
        invalid: 'error | null',
      },
    ],
    findExecutiveSummary: 'string | null',
  },
  experimentDocuments: {
    listSummaries: [documentSummary],
    findMarkdown: 'string | null',
    findStatus: 'string | null',
    existsByType: { summary: 'boolean', prfaq: 'boolean', executive_summary: 'boolean' },
  },
  experiments: {
    getSummary: experimentSummary,
    pageSummaries: pageOf(experimentSummary),
    scrollSummaries: cursorPageOf(experimentSummary),
  },
  explorations: {
    getSummary: explorationSummary,
    pageSummaries: pageOf(explorationSummary),
    scrollSummaries: cursorPageOf(explorationSummary),
  },
  featureScorecards: {
    findRow: orNull(scorecardRow),
    getRow: scorecardRow,
    page: pageOf(scorecardRow),
    scroll: cursorPageOf(scorecardRow),
    count: 'number',
  },
  interviewGuides: { exists: 'boolean' },
  regionAnalyses: {
    listBySimulation: [
      {
        id: 'string',
        rules: [entities.RegionRule],
        ruleText: 'string',
        synthCount: 'number',
        synthPercentage: 'number',
        didNotTryRate: 'number',
        failedRate: 'number',
        successRate: 'number',
        failureDelta: 'number',
      },
    ],
  },
  researchExecutions: {
    getDetail: {
      ...executionSummary,
      successfulCount: 'number',
      failedCount: 'number',
      model: 'string',
      maxTurns: 'number',
      additionalContext: 'string | null',
      summaryAvailable: 'boolean',
      prfaqAvailable: 'boolean',
    },
    pageSummaries: pageOf(executionSummary),
    scrollSummaries: cursorPageOf(executionSummary),
    findAutoInterviewSummary: orNull(executionSummary),
    existsSummaryBatch: new Set(['string']),
    existsPrfaqBatch: new Set(['string']),
    existsAdditionalContextBatch: new Set(['string']),
    findAdditionalContextBatch: new Map([['string', 'string | null']]),
  },
  scenarioNodes: {
    getSummary: nodeSummary,
    findBestSummary: orNull(nodeSummary),
    listByExploration: [nodeSummary],
    listFrontier: [nodeSummary],
    listChildren: [nodeSummary],
    listPath: [nodeSummary],
    countByStatus: { active: 'number', dominated: 'number', winner: 'number', expansion_failed: 'number' },
  },
  sensitivityResults: {},
  simulationRuns: {
    findRow: orNull(simulationRow),
    getRow: simulationRow,
    page: pageOf(simulationRow),
    scroll: cursorPageOf(simulationRow),
    count: 'number',
    pageOutcomes: pageOf(outcomeSummary),
    scrollOutcomes: cursorPageOf(outcomeSummary),
  },
  synthGroups: {
    findSummary: orNull(groupSummary),

    findDetail: orNull({ ...groupSummary, synths: cursorPageOf(synthSummary) }),
    pageSummaries: pageOf(groupSummary),
    scrollSummaries: cursorPageOf(groupSummary),
  },
  synthOutcomes: {
    findLatestSummary: orNull({ ...outcomeSummary, analysisId: 'string' }),
    listSummaries: [outcomeSummary],
    scrollSummaries: cursorPageOf(outcomeSummary),
    pageSummaries: pageOf(outcomeSummary),
    count: 'number',
    findStatistics: orNull({
      averageDidNotTryRate: 'number',
      averageFailedRate: 'number',
      averageSuccessRate: 'number',
      synthCount: 'number',
    }),
  },
  synths: {
    getDetail: synthDetail,
    getAvatarPath: 'string | null',
    pageSummaries: pageOf(synthSummary),
    scrollSummaries: cursorPageOf(synthSummary),
    scrollDetails: cursorPageOf(synthDetail),
    count: 'number',
    listFields: [{ name: 'string', type: 'string', description: 'string', nestedFields: ['string'] }],
    getExtremeCases: { top: ['string'], bottom: ['string'] },
    listForSimulation: [{ id: 'string', simulationAttributes: entities.SimulationAttributes }],
  },
  transcripts: {
    getDetail: { ...transcriptSummary, executionId: 'string', messages: [entities.TranscriptMessage] },
    pageSummaries: pageOf(transcriptSummary),
    scrollSummaries: cursorPageOf(transcriptSummary),
    countTurnsBatch: new Map([['string', 'number']]),
  },
};

type Listed<List, Row> = Omit<Kind<List>, 'data'> & { readonly data: readonly [Row] };

function pageOf<Row>(row: Row): Listed<Page<string>, Row> {
  return {
    data: [row],
    pagination: { total: 'number', limit: 'number', offset: 'number', hasNext: 'boolean' },
  };
}

function cursorPageOf<Row>(row: Row): Listed<CursorPage<string>, Row> {
  return { data: [row], pagination: { endCursor: 'string | null', hasNextPage: 'boolean' } };
}
