// Every entity, and with it each shape of its JSON columns. The ORM's list of entities is made from this file.
export { AnalysisCache } from './analysis-cache.ts';
export { AnalysisConfig, AnalysisRun, runStatuses } from './analysis-run.ts';
export {
  ChartInsightPayload,
  Cluster,
  Clustering,
  CorrelationsChart,
  DistributionChart,
  ExecutiveSummaryPayload,
  ExtremeCase,
  ExtremeCases,
  HeatmapCell,
  HeatmapChart,
  Outliers,
  PcaScatterChart,
  RadarComparison,
  ScatterChart,
  ShapSummary,
  TryVsSuccessChart,
} from './chart-data.ts';
export { ChartInsight } from './chart-insight.ts';
export { ExperimentDocument, documentStatuses, documentTypes } from './experiment-document.ts';
export { Experiment, Scorecard, ScorecardDimension, experimentStatuses } from './experiment.ts';
export { Exploration, ExplorationConfig, ExplorationGoal, explorationStatuses } from './exploration.ts';
export { InterviewGuide } from './interview-guide.ts';
export { FeatureScorecard, FeatureScorecardData } from './legacy/feature-scorecard.ts';
export { SimulationConfig, SimulationOutcomes, SimulationRun } from './legacy/simulation-run.ts';
export { RegionAnalysis, RegionRule, RegionRules } from './region-analysis.ts';
export { ResearchExecution, executionStatuses } from './research-execution.ts';
export { ScenarioNode, ScorecardParams, SimulationResults, nodeStatuses } from './scenario-node.ts';
export {
  SensitivityDeltas,
  SensitivityDimension,
  SensitivityDimensions,
  SensitivityResult,
} from './sensitivity-result.ts';
export { JsonObject, OutcomeRates } from './shapes.ts';
export { SynthGroup, defaultSynthGroup } from './synth-group.ts';
export { SynthOutcome } from './synth-outcome.ts';
export {
  Demographics,
  Disabilities,
  LatentTraits,
  Observables,
  Psychographics,
  SimulationAttributes,
  Synth,
  SynthData,
} from './synth.ts';
export { Transcript, TranscriptMessage, TranscriptMessages } from './transcript.ts';
