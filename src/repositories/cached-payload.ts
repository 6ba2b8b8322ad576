import type { z } from 'zod';
import { shapes } from '../entities/load-shapes.ts';
import type { ChartInsightPayload, Clustering, JsonObject } from '../entities/shapes.ts';
import { checkShape } from '../json/check-shape.ts';

// The names of the shapes, by the keys of their entries.
const shapeNames = {
  try_vs_success: 'TryVsSuccessChart',
  distribution: 'DistributionChart',
  heatmap: 'HeatmapChart',
  scatter: 'ScatterChart',
  correlations: 'CorrelationsChart',
  pca_scatter: 'PcaScatterChart',
  radar_comparison: 'RadarComparison',
  extreme_cases: 'ExtremeCases',
  outliers: 'Outliers',
  shap_summary: 'ShapSummary',
  executive_summary: 'ExecutiveSummaryPayload',
} as const satisfies Record<string, keyof ReturnType<typeof shapes>>;

/** The document of the entry under a cache key; any object for a key without a shape. */
export type CachedPayload<Key extends string> = Key extends keyof typeof shapeNames
  ? z.infer<ReturnType<typeof shapes>[(typeof shapeNames)[Key]]>
  : Key extends `clustering_k${number}`
    ? Clustering
    : Key extends `insight_${string}`
      ? ChartInsightPayload
      : JsonObject;

/** The prefix of the keys of insights on one chart; the chart's type follows. */
export const insightPrefix = 'insight_';

const known = new Map(Object.entries(shapeNames));

function shapeOf(key: string): z.ZodType {
  if (/^clustering_k\d+$/.test(key)) return shapes().Clustering;
  if (key.startsWith(insightPrefix)) return shapes().ChartInsightPayload;
  return shapes()[known.get(key) ?? 'JsonObject'];
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
