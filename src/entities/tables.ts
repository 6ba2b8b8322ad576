import type { EntitySchemaWithMeta, InferKyselyTable } from '@mikro-orm/postgresql';
import type { AnalysisCacheSchema } from './analysis-cache.ts';
import type { AnalysisRunSchema } from './analysis-run.ts';
import type { ChartInsightSchema } from './chart-insight.ts';
import type { ExperimentDocumentSchema } from './experiment-document.ts';
import type { ExperimentSchema } from './experiment.ts';
import type { ExplorationSchema } from './exploration.ts';
import type { InterviewGuideSchema } from './interview-guide.ts';
import type { FeatureScorecardSchema } from './legacy/feature-scorecard.ts';
import type { SimulationRunSchema } from './legacy/simulation-run.ts';
import type { RegionAnalysisSchema } from './region-analysis.ts';
import type { ResearchExecutionSchema } from './research-execution.ts';
import type { ScenarioNodeSchema } from './scenario-node.ts';
import type { SensitivityResultSchema } from './sensitivity-result.ts';
import type { SynthGroupSchema } from './synth-group.ts';
import type { SynthOutcomeSchema } from './synth-outcome.ts';
import type { SynthSchema } from './synth.ts';
import type { TranscriptSchema } from './transcript.ts';

/** The tables as their rows come from the driver: under the columns' names, times as text. */
export interface Tables {
  analysis_cache: Row<typeof AnalysisCacheSchema>;
  analysis_runs: Row<typeof AnalysisRunSchema>;
  chart_insights: Row<typeof ChartInsightSchema>;
  experiment_documents: Row<typeof ExperimentDocumentSchema>;
  experiments: Row<typeof ExperimentSchema>;
  explorations: Row<typeof ExplorationSchema>;
  feature_scorecards: Row<typeof FeatureScorecardSchema>;
  interview_guide: Row<typeof InterviewGuideSchema>;
  region_analyses: Row<typeof RegionAnalysisSchema>;
  research_executions: Row<typeof ResearchExecutionSchema>;
  scenario_nodes: Row<typeof ScenarioNodeSchema>;
  sensitivity_results: Row<typeof SensitivityResultSchema>;
  simulation_runs: Row<typeof SimulationRunSchema>;
  synth_groups: Row<typeof SynthGroupSchema>;
  synth_outcomes: Row<typeof SynthOutcomeSchema>;
  synths: Row<typeof SynthSchema>;
  transcripts: Row<typeof TranscriptSchema>;
}

// The ORM derives columns and their values from a definition; the driver hands out times as text.
type Row<Schema extends EntitySchemaWithMeta> = {
  [Column in keyof InferKyselyTable<Schema>]: Wire<InferKyselyTable<Schema>[Column]>;
};
type Wire<Value> = Value extends { readonly __select__: infer Selected }
  ? Wire<Selected>
  : Value extends Date
    ? string
    : Value;
