import { defineEntity, p } from '@mikro-orm/core';
import { z } from 'zod';
import { jsonColumn } from '../../json/column.ts';
import { runStatuses } from '../analysis-run.ts';
import { checks, counts, durations, jsonObjects, keys } from '../checks.ts';
import { double, id, instant, rowVersion } from '../columns.ts';
import { rate } from '../shapes.ts';
import { incrementsRowVersion } from '../triggers.ts';
import { FeatureScorecard } from './feature-scorecard.ts';

/** Shape of `simulation_runs.config`. */
export const SimulationConfig = z.looseObject({
  n_synths: z.int().min(1).optional(),
  n_executions: z.int().min(1).optional(),
  sigma: z.number().min(0).max(0.5).optional(),
  seed: z.int().nullish(),
});
export type SimulationConfig = z.infer<typeof SimulationConfig>;

/** Shape of `simulation_runs.aggregated_outcomes`. Its keys lack the suffix `_rate` of later tables. */
export const SimulationOutcomes = z.looseObject({ did_not_try: rate, failed: rate, success: rate });
export type SimulationOutcomes = z.infer<typeof SimulationOutcomes>;

export const SimulationRunSchema = defineEntity({
  name: 'SimulationRun',
  tableName: 'simulation_runs',
  properties: {
    id: id('sim'),
    scorecard: () =>
      p.manyToOne(FeatureScorecard).ref().deleteRule('cascade').index('idx_simulations_scorecard'),
    scenarioId: p.text(),
    config: jsonColumn(SimulationConfig),
    status: p.enum(runStatuses).default('pending').index('idx_simulations_status'),
    startedAt: instant(),
    completedAt: instant().nullable(),
    totalSynths: p.integer().default(0),
    aggregatedOutcomes: jsonColumn(SimulationOutcomes).nullable(),
    executionTimeSeconds: double().nullable(),
    ...rowVersion,
  },
  indexes: [
    {
      name: 'idx_simulation_runs_started_at_id',
      properties: ['startedAt', 'id'],
      columns: [
        { name: 'startedAt', sort: 'desc' },
        { name: 'id', sort: 'desc' },
      ],
    },
  ],
  checks: checks('simulation_runs', {
    ...keys('id'),
    ...counts('total_synths'),
    ...durations('execution_time_seconds'),
    ...jsonObjects('config', 'aggregated_outcomes'),
  }),
  triggers: [incrementsRowVersion],
});

/**
 * A simulation of a legacy scorecard.
 *
 * @deprecated Kept for its stored data; `AnalysisRun` replaces it.
 */
export class SimulationRun extends SimulationRunSchema.class {}
SimulationRunSchema.setClass(SimulationRun);
