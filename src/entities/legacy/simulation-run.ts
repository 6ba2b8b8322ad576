import { defineEntity, p } from '@mikro-orm/core';
import { jsonColumn } from '../../json/column.ts';
import { runStatuses } from '../analysis-run.ts';
import { checks, counts, durations, jsonObjects, keys } from '../checks.ts';
import { double, id, instant, rowVersion } from '../columns.ts';
import { shapes } from '../load-shapes.ts';
import { incrementsRowVersion } from '../triggers.ts';
import { FeatureScorecard } from './feature-scorecard.ts';

export const SimulationRunSchema = defineEntity({
  name: 'SimulationRun',
  tableName: 'simulation_runs',
  properties: {
    id: id('sim'),
    scorecard: () =>
      p.manyToOne(FeatureScorecard).ref().deleteRule('cascade').index('idx_simulations_scorecard'),
    scenarioId: p.text(),
    config: jsonColumn(() => shapes().SimulationConfig),
    status: p.enum(runStatuses).default('pending').index('idx_simulations_status'),
    startedAt: instant(),
    completedAt: instant().nullable(),
    totalSynths: p.integer().default(0),
    aggregatedOutcomes: jsonColumn(() => shapes().SimulationOutcomes).nullable(),
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
