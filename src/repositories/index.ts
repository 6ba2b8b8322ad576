import './registration.ts';

export * from './repositories.ts';

export type { CachedPayload } from './cached-payload.ts';
export type { DeletedOption } from './signatures/deleted-option.ts';
export type { DocumentType, DocumentStatus, DocumentSummary } from './document-summary.ts';
export type {
  FinishedDocument,
  Generation,
  GenerationOutcome,
  GenerationStart,
} from './document-generation.ts';
export type { ExperimentSummary } from './experiment-summary.ts';
export type { ExplorationSummary } from './exploration-summary.ts';
export type { SimulatedOutcome } from './legacy/simulated-outcome.ts';
export type { CursorPage, CursorRequest, Page, PageRequest } from './read-model/page.ts';
export type {
  ExecutionStatus,
  ResearchExecutionSummary,
  ResearchExecutionDetail,
  ExperimentOption,
} from './research-execution-summary.ts';
export type { ScenarioNodeSummary } from './scenario-node-summary.ts';
export type { SynthField } from './synth-fields.ts';
export type { SynthGroupSummary, SynthGroupDetail } from './synth-group-summary.ts';
export type {
  OutcomeSummary,
  LatestOutcome,
  NewOutcome,
  OutcomeStatistics,
} from './synth-outcome-summary.ts';
export type { SimulatedSynth, ExtremeSynths } from './synth-simulation.ts';
export type { SynthSummary, SynthDetail, GroupOption, SynthCriteria, SynthFilters } from './synth-summary.ts';
export type { TranscriptSummary, TranscriptDetail } from './transcript-summary.ts';
