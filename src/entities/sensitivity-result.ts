import { defineEntity, p } from '@mikro-orm/core';
import { jsonColumn } from '../json/column.ts';
import { checks, jsonArrays, keys, rates } from './checks.ts';
import { creationTime, double, id, instant, rowVersion } from './columns.ts';
import { shapes } from './load-shapes.ts';
import { incrementsRowVersion } from './triggers.ts';

export const SensitivityResultSchema = defineEntity({
  name: 'SensitivityResult',
  tableName: 'sensitivity_results',
  properties: {
    id: id('sens'),
    simulationId: p.text().index('idx_sensitivity_simulation'),
    analyzedAt: instant().index('idx_sensitivity_analyzed_at'),
    deltasUsed: jsonColumn(() => shapes().SensitivityDeltas),
    baselineSuccess: double(),
    mostSensitiveDimension: p.text(),
    dimensions: jsonColumn(() => shapes().SensitivityDimensions),
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
