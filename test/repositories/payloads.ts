// One small document for each shape of what is cached; made anew for each test, since a test may change one in place.

const analysis = 'ana_1';
const simulation_id = analysis;
const rates = { did_not_try_rate: 0.2, failed_rate: 0.3, success_rate: 0.5 };
const traits = { capability_mean: 0.6, trust_mean: 0.5, friction_tolerance_mean: 0.4 };
const time = '2026-01-02T03:04:05.678901+00:00';

const cell = () => ({
  x_bin: '0.0-0.2',
  y_bin: '0.0-0.2',
  x_range: [0, 0.2] as [number, number],
  y_range: [0, 0.2] as [number, number],
  metric_value: 0.3,
  synth_count: 1,
  synth_ids: ['syn_1'],
});

const extreme = (category: string) => ({
  synth_id: 'syn_1',
  synth_name: 'Maria',
  category,
  ...rates,
  profile_summary: 'Buys online twice a week.',
  interview_questions: ['Why?'],
  ...traits,
});

export const tryVsSuccess = () => ({
  simulation_id,
  points: [{ synth_id: 'syn_1', attempt_rate: 0.8, success_rate: 0.5, quadrant: 'ok' as const }],
  quadrant_counts: { ok: 1 },
  quadrant_thresholds: { x: 0.5, y: 0.5 },
  total_synths: 1,
});

export const distribution = () => ({
  simulation_id,
  distributions: [{ synth_id: 'syn_1', ...rates, sort_key: 0.5 }],
  summary: { avg_success: 0.5 },
  worst_performers: ['syn_1'],
  best_performers: ['syn_1'],
  total_synths: 1,
});

const clustering = () => ({
  simulation_id,
  n_clusters: 2,
  method: 'kmeans' as const,
  features_used: ['capability_mean'],
  silhouette_score: 0.4,
  inertia: 12.5,
  clusters: [
    {
      cluster_id: 0,
      size: 1,
      percentage: 100,
      centroid: { capability_mean: 0.6 },
      avg_success_rate: 0.5,
      avg_failed_rate: 0.3,
      avg_did_not_try_rate: 0.2,
      high_traits: [],
      low_traits: [],
      suggested_label: 'Careful',
      suggested_explanation: '',
      synth_ids: ['syn_1'],
    },
  ],
  synth_assignments: { syn_1: 0 },
  elbow_data: [{ k: 2, inertia: 12.5, silhouette: 0.4 }],
  recommended_k: null,
  created_at: time,
});

export const insight = (chart_type = 'scatter') => ({
  analysis_id: analysis,
  chart_type,
  summary: 'Half of them succeed.',
  generation_timestamp: time,
  status: 'completed' as const,
  model: 'gpt-4.1-mini',
});

export const executiveSummary = () => ({
  analysis_id: analysis,
  overview: 'o',
  explainability: 'e',
  segmentation: 's',
  edge_cases: 'c',
  recommendations: ['Do this.', 'Do that.'],
  included_chart_types: ['scatter'],
  generation_timestamp: time,
  status: 'partial' as const,
  model: '04-mini',
});

/** One document for each kind of key. */
export const payloads = () => ({
  try_vs_success: tryVsSuccess(),
  distribution: distribution(),
  heatmap: {
    simulation_id,
    x_axis: 'digital_literacy',
    y_axis: 'domain_expertise',
    metric: 'failed_rate',
    bins: 5,
    cells: [cell()],
    max_value: 0.3,
    min_value: 0.3,
    critical_cells: [cell()],
    critical_threshold: 0.5,
  },
  scatter: {
    simulation_id,
    x_axis: 'digital_literacy',
    y_axis: 'success_rate',
    points: [{ synth_id: 'syn_1', x_value: 0.6, y_value: 0.5 }],
    correlation: {
      pearson_r: -0.4,
      p_value: 0.01,
      r_squared: 0.16,
      is_significant: true,
      trend_slope: -2,
      trend_intercept: 1,
    },
    trendline: [{ x: 0, y: 1 }],
  },
  correlations: {
    simulation_id,
    correlations: [
      {
        attribute: 'trust_mean',
        attribute_label: 'Confiança',
        correlation_attempt: 1,
        correlation_success: -1,
        p_value_attempt: 0,
        p_value_success: 1,
        is_significant_attempt: true,
        is_significant_success: false,
      },
    ],
    total_synths: 1,
  },
  clustering_k2: clustering(),
  pca_scatter: {
    simulation_id,
    points: [{ synth_id: 'syn_1', x: 1, y: -1, cluster_id: 0, cluster_label: 'Careful', color: '#fff' }],
    explained_variance: [0.5, 0.2],
    total_variance: 0.7,
  },
  radar_comparison: {
    simulation_id,
    clusters: [
      {
        cluster_id: 0,
        label: 'Careful',
        explanation: '',
        color: '#fff',
        axes: [{ name: 'trust_mean', label: 'Confiança', value: 0.5, normalized: 1 }],
        success_rate: 0.5,
      },
    ],
    axis_labels: ['Confiança'],
    baseline: [0.5],
  },
  extreme_cases: {
    simulation_id,
    worst_failures: [extreme('worst_failure')],
    best_successes: [extreme('best_success')],
    unexpected_cases: [extreme('unexpected')],
    total_synths: 1,
  },
  outliers: {
    simulation_id,
    method: 'isolation_forest',
    contamination: 0.1,
    outliers: [
      {
        synth_id: 'syn_1',
        outlier_type: 'atypical_profile',
        anomaly_score: -0.2,
        ...rates,
        explanation: 'Unlike the rest.',
        ...traits,
        digital_literacy: 0.1,
        similar_tool_experience: 0.9,
      },
    ],
    total_synths: 1,
    n_outliers: 1,
    features_used: ['trust_mean'],
    outlier_percentage: 100,
  },
  shap_summary: {
    simulation_id,
    feature_importances: { trust_mean: 0.3 },
    top_features: ['trust_mean'],
    total_synths: 1,
    model_score: 0.9,
  },
  insight_scatter: insight(),
  executive_summary: executiveSummary(),
});
