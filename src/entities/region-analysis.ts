import { defineEntity, p } from '@mikro-orm/core';
import { jsonColumn } from '../json/column.ts';
import { checks, counts, jsonArrays, keys, ranges, rates } from './checks.ts';
import { double, id, rowVersion } from './columns.ts';
import { incrementsRowVersion } from './triggers.ts';
import { shapes } from './load-shapes.ts';

export const RegionAnalysisSchema = defineEntity({
  name: 'RegionAnalysis',
  tableName: 'region_analyses',
  properties: {
    id: id('region'),
    simulationId: p.text().index('idx_regions_simulation'),
    rules: jsonColumn(() => shapes().RegionRules),
    ruleText: p.text(),
    synthCount: p.integer(),
    synthPercentage: double(),
    didNotTryRate: double(),
    failedRate: double(),
    successRate: double(),
    failureDelta: double(),
    ...rowVersion,
  },
  checks: checks('region_analyses', {
    ...keys('id', 'simulation_id'),
    ...counts('synth_count'),
    ...ranges(100, 'synth_percentage'),
    ...rates('did_not_try_rate', 'failed_rate', 'success_rate'),
    ...jsonArrays('rules'),
  }),
  triggers: [incrementsRowVersion],
});

/**
 * A set of synths, defined by rules, that fails more often than the others. `synthPercentage` is 0 to 100, `failureDelta` the difference of
 * the failure rates. A snapshot: it stays when the simulation is deleted.
 */
export class RegionAnalysis extends RegionAnalysisSchema.class {}
RegionAnalysisSchema.setClass(RegionAnalysis);
