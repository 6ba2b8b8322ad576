import type { ReadingUnitOfWork } from '../../src/database/units/unit-of-work.ts';
import * as entities from '../../src/entities.ts';
import type {
  CacheEntry,
  ExperimentSummary,
  ResearchExecutionDetail,
  SynthDetail,
  SynthGroupSummary,
  SynthSummary,
} from '../../src/repositories/index.ts';
import { cursorPageOf, orNull, type AnyKind, type Kind } from './kinds.ts';

type Given<Method> = Method extends (...arguments_: never[]) => infer Result ? Awaited<Result> : never;

type ReadShapes = {
  readonly [Name in keyof ReadingUnitOfWork]?: {
    readonly [Method in keyof ReadingUnitOfWork[Name]]?: Kind<Given<ReadingUnitOfWork[Name][Method]>>;
  };
};

const experimentFields: Pick<
  Kind<ExperimentSummary>,
  'hasScorecard' | 'hasAnalysis' | 'hasInterviewGuide' | 'interviewCount'
> = {
  hasScorecard: 'boolean',
  hasAnalysis: 'boolean',
  hasInterviewGuide: 'boolean',
  interviewCount: 'number',
};
const executionFields: Pick<Kind<ResearchExecutionDetail>, 'summaryAvailable' | 'prfaqAvailable'> = {
  summaryAvailable: 'boolean',
  prfaqAvailable: 'boolean',
};
const groupFields: Pick<Kind<SynthGroupSummary>, 'synthCount'> = { synthCount: 'number' };

/** By table, what read models show that is none of its columns. */
export const computed: Readonly<Record<string, Readonly<Record<string, AnyKind>>>> = {
  experiments: experimentFields,
  research_executions: executionFields,
  synth_groups: groupFields,
};

const cacheEntry: Kind<CacheEntry> = {
  cacheKey: 'string',
  data: entities.JsonObject,
  params: entities.JsonObject.nullable(),
  computedAt: 'date',
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

/** What reading methods give that can't be derived from a read model of columns. */
export const readShapes: ReadShapes = {
  analysisCache: {
    findEntry: orNull(cacheEntry),
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
    findMarkdown: 'string | null',
    findStatus: 'string | null',
    existsByType: { summary: 'boolean', prfaq: 'boolean', executive_summary: 'boolean' },
  },
  interviewGuides: { exists: 'boolean' },
  researchExecutions: {
    existsSummaryBatch: new Set(['string']),
    existsPrfaqBatch: new Set(['string']),
    existsAdditionalContextBatch: new Set(['string']),
    findAdditionalContextBatch: new Map([['string', 'string | null']]),
  },
  scenarioNodes: {
    countByStatus: { active: 'number', dominated: 'number', winner: 'number', expansion_failed: 'number' },
  },
  synthGroups: { findDetail: orNull({ ...groupSummary, synths: cursorPageOf(synthSummary) }) },
  synthOutcomes: {
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
    scrollDetails: cursorPageOf(synthDetail),
    listFields: [{ name: 'string', type: 'string', description: 'string', nestedFields: ['string'] }],
    getExtremeCases: { top: ['string'], bottom: ['string'] },
    listForSimulation: [{ id: 'string', simulationAttributes: entities.SimulationAttributes }],
  },
  transcripts: {
    getDetail: {
      id: 'string',
      synthId: 'string',
      synthName: 'string',
      status: 'string',
      turnCount: 'number',
      recordedAt: 'date',
      executionId: 'string',
      messages: [entities.TranscriptMessage],
    },
    countTurnsBatch: new Map([['string', 'number']]),
  },
};
