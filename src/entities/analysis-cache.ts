import { defineEntity, p } from '@mikro-orm/core';
import { jsonColumn } from '../json/column.ts';
import { AnalysisRun } from './analysis-run.ts';
import { checks, jsonObjects, keys } from './checks.ts';
import { instant, rowVersion } from './columns.ts';
import { JsonObject } from './shapes.ts';
import { raisesRowVersion } from './triggers.ts';

export const AnalysisCacheSchema = defineEntity({
  name: 'AnalysisCache',
  tableName: 'analysis_cache',
  properties: {
    analysis: () => p.manyToOne(AnalysisRun).primary().ref().deleteRule('cascade'),
    cacheKey: p.text().primary(),
    data: jsonColumn(JsonObject),
    params: jsonColumn(JsonObject).nullable(),
    computedAt: instant(),
    ...rowVersion,
  },
  checks: checks('analysis_cache', { ...keys('cache_key'), ...jsonObjects('data', 'params') }),
  triggers: [raisesRowVersion],
});

/** One computed chart of an analysis run, kept so that it is not computed twice. Its payload's shape depends on its key. */
export class AnalysisCache extends AnalysisCacheSchema.class {}
AnalysisCacheSchema.setClass(AnalysisCache);
