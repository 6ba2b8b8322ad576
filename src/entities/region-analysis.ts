import { defineEntity, p } from '@mikro-orm/core';
import { z } from 'zod';
import { jsonColumn } from '../json/column.ts';
import { checks, counts, jsonArrays, keys, ranges, rates } from './checks.ts';
import { double, id, rowVersion } from './columns.ts';
import { incrementsRowVersion } from './triggers.ts';

/** One condition of a region: an attribute compared with a threshold. */
export const RegionRule = z.looseObject({
  attribute: z.string(),
  operator: z.enum(['<', '<=', '>', '>=']),
  threshold: z.number(),
});
export type RegionRule = z.infer<typeof RegionRule>;

/** Shape of `region_analyses.rules`; a synth of the region meets all of them. */
export const RegionRules = z.array(RegionRule);
export type RegionRules = z.infer<typeof RegionRules>;

export const RegionAnalysisSchema = defineEntity({
  name: 'RegionAnalysis',
  tableName: 'region_analyses',
  properties: {
    id: id('region'),
    simulationId: p.text().index('idx_regions_simulation'),
    rules: jsonColumn(RegionRules),
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
