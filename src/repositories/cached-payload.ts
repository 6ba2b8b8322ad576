import type { z } from 'zod';
import {
  ChartInsightPayload,
  Clustering,
  CorrelationsChart,
  DistributionChart,
  ExecutiveSummaryPayload,
  ExtremeCases,
  HeatmapChart,
  Outliers,
  PcaScatterChart,
  RadarComparison,
  ScatterChart,
  ShapSummary,
  TryVsSuccessChart,
} from '../entities/chart-data.ts';
import { JsonObject } from '../entities/shapes.ts';
import { checkShape } from '../json/check-shape.ts';

const shapes = {
  try_vs_success: TryVsSuccessChart,
  distribution: DistributionChart,
  heatmap: HeatmapChart,
  scatter: ScatterChart,
  correlations: CorrelationsChart,
  pca_scatter: PcaScatterChart,
  radar_comparison: RadarComparison,
  extreme_cases: ExtremeCases,
  outliers: Outliers,
  shap_summary: ShapSummary,
  executive_summary: ExecutiveSummaryPayload,
} as const;

/** The document of the entry under a cache key; any object for a key without a shape. */
export type CachedPayload<Key extends string> = Key extends keyof typeof shapes
  ? z.infer<(typeof shapes)[Key]>
  : Key extends `clustering_k${number}`
    ? Clustering
    : Key extends `insight_${string}`
      ? ChartInsightPayload
      : JsonObject;

/** The prefix of the keys of insights on one chart; the chart's type follows. */
export const insightPrefix = 'insight_';

const known = new Map<string, z.ZodType>(Object.entries(shapes));

function shapeOf(key: string): z.ZodType {
  if (/^clustering_k\d+$/.test(key)) return Clustering;
  if (key.startsWith(insightPrefix)) return ChartInsightPayload;
  return known.get(key) ?? JsonObject;
}

/**
 * Checks a document against the shape of its key.
 *
 * @throws InvalidJsonError when it has another shape.
 */
export function checkPayload<Key extends string>(
  key: Key,
  document: unknown,
): asserts document is CachedPayload<Key> {
  checkShape('analysis_cache.data', shapeOf(key), document);
}
