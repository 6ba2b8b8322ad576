import './registration.ts';

export { AnalysisCacheRepository } from './analysis-cache-repository.ts';
export { AnalysisRunRepository } from './analysis-run-repository.ts';
export { ChartInsightRepository } from './chart-insight-repository.ts';
export { ExperimentRepository } from './experiment-repository.ts';
export { ExperimentDocumentRepository } from './experiment-document-repository.ts';
export { ExplorationRepository } from './exploration-repository.ts';
export { InterviewGuideRepository } from './interview-guide-repository.ts';
export { FeatureScorecardRepository } from './legacy/feature-scorecard-repository.ts';
export { SimulationRunRepository } from './legacy/simulation-run-repository.ts';
export { RegionAnalysisRepository } from './region-analysis-repository.ts';
export { ResearchExecutionRepository } from './research-execution-repository.ts';
export { ScenarioNodeRepository } from './scenario-node-repository.ts';
export { SensitivityResultRepository } from './sensitivity-result-repository.ts';
export { SynthRepository } from './synth-repository.ts';
export { SynthGroupRepository } from './synth-group-repository.ts';
export { SynthOutcomeRepository } from './synth-outcome-repository.ts';
export { TranscriptRepository } from './transcript-repository.ts';

export type { CacheEntry, CachedInsight } from './analysis-cache-repository.ts';
export type { RunFigures } from './analysis-run-repository.ts';
export type { CachedPayload } from './cached-payload.ts';
export type { StoredInsight } from './chart-insight-repository.ts';
export type { DeletedOption } from './deleted-option.ts';
export type { DocumentType, DocumentStatus, DocumentSummary } from './document-summary.ts';
export type {
  FinishedDocument,
  Generation,
  GenerationStart,
  GenerationOutcome,
} from './experiment-document-repository.ts';
export type { ExperimentChanges, ExperimentSummary } from './experiment-repository.ts';
export type { ExplorationProgress } from './exploration-repository.ts';
export type { ExplorationSummary } from './exploration-summary.ts';
export type { GuideTexts } from './interview-guide-repository.ts';
export type { FeatureScorecardRow, FeatureScorecardFilter } from './legacy/feature-scorecard-repository.ts';
export type { SimulatedOutcome } from './legacy/simulated-outcome.ts';
export type {
  SimulationRunRow,
  SimulationRunFilter,
  SimulationStatus,
} from './legacy/simulation-run-repository.ts';
export type { Page, PageRequest, CursorPage, CursorRequest } from './page.ts';
export type { RegionAnalysisRow } from './region-analysis-repository.ts';
export type {
  EndedInterviews,
  InterviewCounts,
  NewResearchExecution,
} from './research-execution-repository.ts';
export type {
  ExecutionStatus,
  ResearchExecutionSummary,
  ResearchExecutionDetail,
  ExperimentOption,
} from './research-execution-summary.ts';
export type { NodeChanges, NodeStatus } from './scenario-node-repository.ts';
export type { ScenarioNodeSummary } from './scenario-node-summary.ts';
export type { SynthField } from './synth-fields.ts';
export type { SynthGroupSummary, SynthGroupDetail } from './synth-group-summary.ts';
export type {
  OutcomeSummary,
  LatestOutcome,
  NewOutcome,
  OutcomeStatistics,
} from './synth-outcome-summary.ts';
export type { StoredSynth } from './synth-repository.ts';
export type { SimulatedSynth, ExtremeCases } from './synth-simulation.ts';
export type { SynthSummary, SynthDetail, GroupOption, SynthCriteria, SynthFilters } from './synth-summary.ts';
export type { Interview } from './transcript-repository.ts';
export type { TranscriptSummary, TranscriptDetail } from './transcript-summary.ts';
