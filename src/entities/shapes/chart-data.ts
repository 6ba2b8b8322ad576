import { z } from 'zod';
import { rate } from './shared.ts';

// The documents of `analysis_cache.data` and `chart_insights.response_json`. The shape depends on the key or type of the row, so that
// the repositories check it, not the columns.

const count = z.int().min(0);
const correlation = z.number().min(-1).max(1);
const probability = z.number().min(0);
const numbersByName = z.record(z.string(), z.number());
const countsByName = z.record(z.string(), count);
const plainRates = { did_not_try_rate: z.number(), failed_rate: z.number(), success_rate: z.number() };
const traits = { capability_mean: z.number(), trust_mean: z.number(), friction_tolerance_mean: z.number() };

/** Returns the shape of a text of at most `limit` characters, counted as PostgreSQL does: an emoji is one. */
const text = (limit: number) =>
  z.string().refine((value) => value.length <= limit || Array.from(value).length <= limit, {
    error: `must have at most ${limit} characters`,
  });

/** A time in ISO 8601, with or without an offset. */
const time = z.iso.datetime({ offset: true, local: true });

/** Shape of the chart `try_vs_success`: the attempt rate and the success rate of each synth. */
export const TryVsSuccessChart = z.looseObject({
  simulation_id: z.string(),
  points: z.array(
    z.looseObject({
      synth_id: z.string(),
      attempt_rate: rate,
      success_rate: rate,
      quadrant: z.enum(['low_value', 'usability_issue', 'discovery_issue', 'ok']),
    }),
  ),
  quadrant_counts: countsByName,
  quadrant_thresholds: numbersByName,
  total_synths: count,
});
export type TryVsSuccessChart = z.infer<typeof TryVsSuccessChart>;

/** Shape of the chart `distribution`: the outcome of each synth, and the best and worst performers. */
export const DistributionChart = z.looseObject({
  simulation_id: z.string(),
  distributions: z.array(
    z.looseObject({
      synth_id: z.string(),
      did_not_try_rate: rate,
      failed_rate: rate,
      success_rate: rate,
      sort_key: z.number(),
    }),
  ),
  summary: numbersByName,
  worst_performers: z.array(z.string()),
  best_performers: z.array(z.string()),
  total_synths: count,
});
export type DistributionChart = z.infer<typeof DistributionChart>;

const range = z.tuple([z.number(), z.number()]);

/** One cell of a heatmap: the synths whose two attributes lie in its ranges. */
export const HeatmapCell = z.looseObject({
  x_bin: z.string(),
  y_bin: z.string(),
  x_range: range,
  y_range: range,
  metric_value: z.number(),
  synth_count: count,
  synth_ids: z.array(z.string()),
});
export type HeatmapCell = z.infer<typeof HeatmapCell>;

/** Shape of the chart `heatmap`: a metric over two attributes. */
export const HeatmapChart = z.looseObject({
  simulation_id: z.string(),
  x_axis: z.string(),
  y_axis: z.string(),
  metric: z.string(),
  bins: z.int().min(2),
  cells: z.array(HeatmapCell),
  max_value: z.number(),
  min_value: z.number(),
  critical_cells: z.array(HeatmapCell),
  critical_threshold: z.number(),
});
export type HeatmapChart = z.infer<typeof HeatmapChart>;

/** Shape of the chart `scatter`: an attribute and an outcome of each synth, and their correlation. */
export const ScatterChart = z.looseObject({
  simulation_id: z.string(),
  x_axis: z.string(),
  y_axis: z.string(),
  points: z.array(z.looseObject({ synth_id: z.string(), x_value: z.number(), y_value: z.number() })),
  correlation: z.looseObject({
    pearson_r: correlation,
    p_value: probability,
    r_squared: rate,
    is_significant: z.boolean(),
    trend_slope: z.number(),
    trend_intercept: z.number(),
  }),
  trendline: z.array(z.looseObject({ x: z.number(), y: z.number() })),
});
export type ScatterChart = z.infer<typeof ScatterChart>;

/** Shape of the chart `correlations`: the correlations of each attribute with attempts and with success. */
export const CorrelationsChart = z.looseObject({
  simulation_id: z.string(),
  correlations: z.array(
    z.looseObject({
      attribute: z.string(),
      attribute_label: z.string(),
      correlation_attempt: correlation,
      correlation_success: correlation,
      p_value_attempt: probability,
      p_value_success: probability,
      is_significant_attempt: z.boolean(),
      is_significant_success: z.boolean(),
    }),
  ),
  total_synths: count,
});
export type CorrelationsChart = z.infer<typeof CorrelationsChart>;

/** A cluster of similar synths. */
export const Cluster = z.looseObject({
  cluster_id: z.int(),
  size: count,
  percentage: z.number(),
  centroid: numbersByName,
  avg_success_rate: z.number(),
  avg_failed_rate: z.number(),
  avg_did_not_try_rate: z.number(),
  high_traits: z.array(z.string()).optional(),
  low_traits: z.array(z.string()).optional(),
  suggested_label: z.string(),
  suggested_explanation: z.string().optional(),
  synth_ids: z.array(z.string()).optional(),
});
export type Cluster = z.infer<typeof Cluster>;

/** Shape of `clustering_k<n>`: the synths in `n` clusters. */
export const Clustering = z.looseObject({
  simulation_id: z.string(),
  n_clusters: z.int().min(1),
  method: z.literal('kmeans').optional(),
  features_used: z.array(z.string()),
  silhouette_score: z.number(),
  inertia: z.number(),
  clusters: z.array(Cluster),
  synth_assignments: z.record(z.string(), z.int()),
  elbow_data: z
    .array(z.looseObject({ k: z.int().min(1), inertia: z.number(), silhouette: z.number() }))
    .optional(),
  recommended_k: z.int().min(1).nullish(),
  created_at: time.optional(),
});
export type Clustering = z.infer<typeof Clustering>;

/** Shape of the chart `pca_scatter`: the synths on their two principal components. */
export const PcaScatterChart = z.looseObject({
  simulation_id: z.string(),
  points: z.array(
    z.looseObject({
      synth_id: z.string(),
      x: z.number(),
      y: z.number(),
      cluster_id: z.int(),
      cluster_label: z.string(),
      color: z.string(),
    }),
  ),
  explained_variance: z.array(z.number()),
  total_variance: z.number(),
});
export type PcaScatterChart = z.infer<typeof PcaScatterChart>;

/** Shape of the chart `radar_comparison`: the clusters compared. */
export const RadarComparison = z.looseObject({
  simulation_id: z.string(),
  clusters: z.array(
    z.looseObject({
      cluster_id: z.int(),
      label: z.string(),
      explanation: z.string().optional(),
      color: z.string(),
      axes: z.array(
        z.looseObject({ name: z.string(), label: z.string(), value: z.number(), normalized: z.number() }),
      ),
      success_rate: z.number(),
    }),
  ),
  axis_labels: z.array(z.string()),
  baseline: z.array(z.number()),
});
export type RadarComparison = z.infer<typeof RadarComparison>;

/** A synth that is worth an interview. */
export const ExtremeCase = z.looseObject({
  synth_id: z.string(),
  synth_name: z.string().optional(),
  category: z.string(),
  ...plainRates,
  profile_summary: z.string(),
  interview_questions: z.array(z.string()),
  ...traits,
});
export type ExtremeCase = z.infer<typeof ExtremeCase>;

/** Shape of `extreme_cases`: the worst, the best and the unexpected results. */
export const ExtremeCases = z.looseObject({
  simulation_id: z.string(),
  worst_failures: z.array(ExtremeCase),
  best_successes: z.array(ExtremeCase),
  unexpected_cases: z.array(ExtremeCase),
  total_synths: count,
});
export type ExtremeCases = z.infer<typeof ExtremeCases>;

/** Shape of `outliers`: the synths that differ most from the rest. */
export const Outliers = z.looseObject({
  simulation_id: z.string(),
  method: z.string().optional(),
  contamination: z.number(),
  outliers: z.array(
    z.looseObject({
      synth_id: z.string(),
      outlier_type: z.string(),
      anomaly_score: z.number(),
      ...plainRates,
      explanation: z.string(),
      ...traits,
      digital_literacy: z.number(),
      similar_tool_experience: z.number(),
    }),
  ),
  total_synths: count,
  n_outliers: count,
  features_used: z.array(z.string()),
  outlier_percentage: z.number().optional(),
});
export type Outliers = z.infer<typeof Outliers>;

/** Shape of `shap_summary`: the importance of each feature for the prediction. */
export const ShapSummary = z.looseObject({
  simulation_id: z.string(),
  feature_importances: numbersByName,
  top_features: z.array(z.string()),
  total_synths: count,
  model_score: z.number(),
});
export type ShapSummary = z.infer<typeof ShapSummary>;

/** A language model's insight on one chart: the payload of an `insight_<chart type>` entry, and of a `ChartInsight` row. */
export const ChartInsightPayload = z.looseObject({
  analysis_id: z.string().min(1),
  chart_type: z.string().min(1),
  summary: text(2_000),
  generation_timestamp: time,
  status: z.enum(['pending', 'completed', 'failed']),
  model: z.string().optional(),
});
export type ChartInsightPayload = z.infer<typeof ChartInsightPayload>;

/** A language model's summary of all charts of an analysis. */
export const ExecutiveSummaryPayload = z.looseObject({
  analysis_id: z.string().min(1),
  overview: text(1_000),
  explainability: text(1_000),
  segmentation: text(1_000),
  edge_cases: text(1_000),
  recommendations: z.array(z.string()).min(2).max(3),
  included_chart_types: z.array(z.string()).min(1),
  generation_timestamp: time,
  status: z.enum(['pending', 'completed', 'failed', 'partial']),
  model: z.string().optional(),
});
export type ExecutiveSummaryPayload = z.infer<typeof ExecutiveSummaryPayload>;
