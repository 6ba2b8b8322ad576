import { AnalysisCache } from '../entities/analysis-cache.ts';
import { AnalysisRun } from '../entities/analysis-run.ts';
import { ChartInsight } from '../entities/chart-insight.ts';
import { ExperimentDocument } from '../entities/experiment-document.ts';
import { Experiment } from '../entities/experiment.ts';
import { Exploration } from '../entities/exploration.ts';
import { InterviewGuide } from '../entities/interview-guide.ts';
import { FeatureScorecard } from '../entities/legacy/feature-scorecard.ts';
import { SimulationRun } from '../entities/legacy/simulation-run.ts';
import { RegionAnalysis } from '../entities/region-analysis.ts';
import { ResearchExecution } from '../entities/research-execution.ts';
import { ScenarioNode } from '../entities/scenario-node.ts';
import { SensitivityResult } from '../entities/sensitivity-result.ts';
import { SynthGroup } from '../entities/synth-group.ts';
import { SynthOutcome } from '../entities/synth-outcome.ts';
import { Synth } from '../entities/synth.ts';
import { Transcript } from '../entities/transcript.ts';
import { AnalysisCacheRepository } from './analysis-cache-repository.ts';
import { AnalysisRunRepository } from './analysis-run-repository.ts';
import { ChartInsightRepository } from './chart-insight-repository.ts';
import { ExperimentDocumentRepository } from './experiment-document-repository.ts';
import { ExperimentRepository } from './experiment-repository.ts';
import { ExplorationRepository } from './exploration-repository.ts';
import { InterviewGuideRepository } from './interview-guide-repository.ts';
import { FeatureScorecardRepository } from './legacy/feature-scorecard-repository.ts';
import { SimulationRunRepository } from './legacy/simulation-run-repository.ts';
import { RegionAnalysisRepository } from './region-analysis-repository.ts';
import { ResearchExecutionRepository } from './research-execution-repository.ts';
import { ScenarioNodeRepository } from './scenario-node-repository.ts';
import { SensitivityResultRepository } from './sensitivity-result-repository.ts';
import { SynthGroupRepository } from './synth-group-repository.ts';
import { SynthOutcomeRepository } from './synth-outcome-repository.ts';
import { SynthRepository } from './synth-repository.ts';
import { TranscriptRepository } from './transcript-repository.ts';

export * from './analysis-cache-repository.ts';
export * from './analysis-run-repository.ts';
export * from './chart-insight-repository.ts';
export * from './experiment-document-repository.ts';
export * from './experiment-repository.ts';
export * from './exploration-repository.ts';
export * from './interview-guide-repository.ts';
export * from './legacy/feature-scorecard-repository.ts';
export * from './legacy/simulation-run-repository.ts';
export * from './region-analysis-repository.ts';
export * from './research-execution-repository.ts';
export * from './scenario-node-repository.ts';
export * from './sensitivity-result-repository.ts';
export * from './synth-group-repository.ts';
export * from './synth-outcome-repository.ts';
export * from './synth-repository.ts';
export * from './transcript-repository.ts';

/** Each entity and its repository, by the name of the repository in a unit of work. A join table needs none. */
export const repositories = {
  analysisCache: [AnalysisCache, AnalysisCacheRepository],
  analysisRuns: [AnalysisRun, AnalysisRunRepository],
  chartInsights: [ChartInsight, ChartInsightRepository],
  experimentDocuments: [ExperimentDocument, ExperimentDocumentRepository],
  experiments: [Experiment, ExperimentRepository],
  explorations: [Exploration, ExplorationRepository],
  /** @deprecated Kept for its stored data. */
  featureScorecards: [FeatureScorecard, FeatureScorecardRepository],
  interviewGuides: [InterviewGuide, InterviewGuideRepository],
  regionAnalyses: [RegionAnalysis, RegionAnalysisRepository],
  researchExecutions: [ResearchExecution, ResearchExecutionRepository],
  scenarioNodes: [ScenarioNode, ScenarioNodeRepository],
  sensitivityResults: [SensitivityResult, SensitivityResultRepository],
  /** @deprecated Kept for its stored data. */
  simulationRuns: [SimulationRun, SimulationRunRepository],
  synthGroups: [SynthGroup, SynthGroupRepository],
  synthOutcomes: [SynthOutcome, SynthOutcomeRepository],
  synths: [Synth, SynthRepository],
  transcripts: [Transcript, TranscriptRepository],
} as const;

/** The repositories of a unit of work, by name. */
export type Repositories = {
  readonly [Name in keyof typeof repositories]: InstanceType<(typeof repositories)[Name][1]>;
};
