import { defineEntity, p } from '@mikro-orm/core';
import { z } from 'zod';
import { jsonColumn } from '../json/column.ts';
import { checks, counts, durations, jsonObjects, keys } from './checks.ts';
import { double, id, instant, rowVersion } from './columns.ts';
import { Experiment } from './experiment.ts';
import { OutcomeRates } from './shapes.ts';
import { incrementsRowVersion } from './triggers.ts';

/** Shape of `analysis_runs.config`. A missing number has the default of the simulation. */
export const AnalysisConfig = z.looseObject({
  n_synths: z.int().min(10).max(10_000).optional(),
  n_executions: z.int().min(10).max(1_000).optional(),
  sigma: z.number().min(0).max(0.5).optional(),
  seed: z.int().nullish(),
});
export type AnalysisConfig = z.infer<typeof AnalysisConfig>;

export const runStatuses = ['pending', 'running', 'completed', 'failed'] as const;

export const AnalysisRunSchema = defineEntity({
  name: 'AnalysisRun',
  tableName: 'analysis_runs',
  properties: {
    id: id('ana'),
    experiment: () => p.oneToOne(Experiment).owner().ref().deleteRule('cascade'),
    scenarioId: p.text().default('baseline'),
    config: jsonColumn(AnalysisConfig),
    status: p.enum(runStatuses).default('pending').index('idx_analysis_runs_status'),
    startedAt: instant(),
    completedAt: instant().nullable(),
    totalSynths: p.integer().default(0),
    aggregatedOutcomes: jsonColumn(OutcomeRates).nullable(),
    executionTimeSeconds: double().nullable(),
    ...rowVersion,
  },
  indexes: [
    {
      name: 'idx_analysis_runs_pending_started_at_id',
      properties: ['startedAt', 'id'],
      where: `status = 'pending'`,
    },
  ],
  checks: checks('analysis_runs', {
    ...keys('id'),
    ...counts('total_synths'),
    ...durations('execution_time_seconds'),
    ...jsonObjects('config', 'aggregated_outcomes'),
  }),
  triggers: [incrementsRowVersion],
});

/**
 * The simulation of an experiment: one at most. Deleting it deletes its outcomes, its cache, and the explorations that start from it.
 */
export class AnalysisRun extends AnalysisRunSchema.class {}
AnalysisRunSchema.setClass(AnalysisRun);
