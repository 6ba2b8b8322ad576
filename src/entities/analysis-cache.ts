import { defineEntity, p } from '@mikro-orm/core';
import { jsonColumn } from '../json/column.ts';
import { AnalysisRun } from './analysis-run.ts';
import { checks, jsonObjects, keys } from './checks.ts';
import { instant, rowVersion } from './columns.ts';
import { shapes } from './load-shapes.ts';
import { incrementsRowVersion } from './triggers.ts';

export const AnalysisCacheSchema = defineEntity({
  name: 'AnalysisCache',
  tableName: 'analysis_cache',
  properties: {
    analysis: () => p.manyToOne(AnalysisRun).primary().ref().deleteRule('cascade'),
    cacheKey: p.text().primary(),
    data: jsonColumn(() => shapes().JsonObject),
    params: jsonColumn(() => shapes().JsonObject).nullable(),
    computedAt: instant(),
    ...rowVersion,
  },
  checks: checks('analysis_cache', { ...keys('cache_key'), ...jsonObjects('data', 'params') }),
  triggers: [incrementsRowVersion],
});

/** A cached result of an analysis run. The shape of its document depends on its key. */
export class AnalysisCache extends AnalysisCacheSchema.class {}
AnalysisCacheSchema.setClass(AnalysisCache);
