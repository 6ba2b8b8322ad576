import { defineEntity, p } from '@mikro-orm/core';
import { z } from 'zod';
import { jsonColumn } from '../json/column.ts';
import { checks, jsonArrays, keys, rates } from './checks.ts';
import { creationTime, double, id, instant, rowVersion } from './columns.ts';
import { rate } from './shapes.ts';
import { incrementsRowVersion } from './triggers.ts';

/** Shape of `sensitivity_results.deltas_used`. */
export const SensitivityDeltas = z.array(z.number());
export type SensitivityDeltas = z.infer<typeof SensitivityDeltas>;

/** The influence of one dimension of the scorecard on the outcome; `rank` 1 has the most. */
export const SensitivityDimension = z.looseObject({
  dimension: z.string(),
  baseline_value: rate,
  deltas_tested: z.array(z.number()),
  outcomes_by_delta: z.record(
    z.string(),
    z.looseObject({ did_not_try: z.number(), failed: z.number(), success: z.number() }),
  ),
  sensitivity_index: z.number(),
  rank: z.int().min(1),
});
export type SensitivityDimension = z.infer<typeof SensitivityDimension>;

/** Shape of `sensitivity_results.dimensions`. */
export const SensitivityDimensions = z.array(SensitivityDimension);
export type SensitivityDimensions = z.infer<typeof SensitivityDimensions>;

export const SensitivityResultSchema = defineEntity({
  name: 'SensitivityResult',
  tableName: 'sensitivity_results',
  properties: {
    id: id('sens'),
    simulationId: p.text().index('idx_sensitivity_simulation'),
    analyzedAt: instant().index('idx_sensitivity_analyzed_at'),
    deltasUsed: jsonColumn(SensitivityDeltas),
    baselineSuccess: double(),
    mostSensitiveDimension: p.text(),
    dimensions: jsonColumn(SensitivityDimensions),
    ...creationTime,
    ...rowVersion,
  },
  checks: checks('sensitivity_results', {
    ...keys('id', 'simulation_id'),
    ...rates('baseline_success'),
    ...jsonArrays('deltas_used', 'dimensions'),
  }),
  triggers: [incrementsRowVersion],
});

/** A sensitivity analysis of a simulation, which may have several. A snapshot: it stays when the simulation is deleted. */
export class SensitivityResult extends SensitivityResultSchema.class {}
SensitivityResultSchema.setClass(SensitivityResult);
