import { defineEntity, p } from '@mikro-orm/core';
import { jsonColumn } from '../json/column.ts';
import { checks, counts, durations, jsonObjects, keys } from './checks.ts';
import { double, id, instant, rowVersion } from './columns.ts';
import { Experiment } from './experiment.ts';
import { shapes } from './load-shapes.ts';
import { incrementsRowVersion } from './triggers.ts';

export const runStatuses = ['pending', 'running', 'completed', 'failed'] as const;

export const AnalysisRunSchema = defineEntity({
  name: 'AnalysisRun',
  tableName: 'analysis_runs',
  properties: {
    id: id('ana'),
    experiment: () => p.oneToOne(Experiment).owner().ref().deleteRule('cascade'),
    scenarioId: p.text().default('baseline'),
    config: jsonColumn(() => shapes().AnalysisConfig),
    status: p.enum(runStatuses).default('pending').index('idx_analysis_runs_status'),
    startedAt: instant(),
    completedAt: instant().nullable(),
    totalSynths: p.integer().default(0),
    aggregatedOutcomes: jsonColumn(() => shapes().OutcomeRates).nullable(),
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
