import { defineEntity, p } from '@mikro-orm/core';
import { z } from 'zod';
import { jsonColumn } from '../json/column.ts';
import { AnalysisRun } from './analysis-run.ts';
import { checks, counts, jsonObjects, keys, rates } from './checks.ts';
import { double, id, instant, rowVersion } from './columns.ts';
import { Experiment } from './experiment.ts';
import { rate } from './shapes.ts';
import { incrementsRowVersion } from './triggers.ts';

/** Shape of `explorations.goal`. */
export const ExplorationGoal = z.looseObject({
  metric: z.literal('success_rate'),
  operator: z.literal('>='),
  value: rate,
});
export type ExplorationGoal = z.infer<typeof ExplorationGoal>;

/** Shape of `explorations.config`. A missing number has the default of the explorer. */
export const ExplorationConfig = z.looseObject({
  beam_width: z.int().min(1).max(10).optional(),
  max_depth: z.int().min(1).max(10).optional(),
  max_llm_calls: z.int().min(1).max(100).optional(),
  n_executions: z.int().min(10).max(1_000).optional(),
  sigma: z.number().min(0).max(0.5).optional(),
  seed: z.int().nullish(),
});
export type ExplorationConfig = z.infer<typeof ExplorationConfig>;

export const explorationStatuses = [
  'running',
  'goal_achieved',
  'depth_limit_reached',
  'cost_limit_reached',
  'no_viable_paths',
] as const;

export const ExplorationSchema = defineEntity({
  name: 'Exploration',
  tableName: 'explorations',
  properties: {
    id: id('expl'),
    experiment: () => p.manyToOne(Experiment).ref().deleteRule('cascade'),
    baselineAnalysis: () => p.manyToOne(AnalysisRun).ref().deleteRule('cascade').index(),
    goal: jsonColumn(ExplorationGoal),
    config: jsonColumn(ExplorationConfig),
    status: p.enum(explorationStatuses).default('running').index('idx_explorations_status'),
    currentDepth: p.integer().default(0),
    totalNodes: p.integer().default(0),
    totalLlmCalls: p.integer().default(0),
    bestSuccessRate: double().nullable(),
    startedAt: instant(),
    completedAt: instant().nullable(),
    ...rowVersion,
  },
  indexes: [
    // As an expression: the ORM's comparison reports mixed directions after a relation as a change, each time.
    {
      name: 'idx_explorations_experiment_id_started_at_id',
      expression: `create index "idx_explorations_experiment_id_started_at_id" on "explorations" (experiment_id, started_at desc, id desc)`,
    },
  ],
  checks: checks('explorations', {
    ...keys('id'),
    ...counts('current_depth', 'total_nodes', 'total_llm_calls'),
    ...rates('best_success_rate'),
    ...jsonObjects('goal', 'config'),
  }),
  triggers: [incrementsRowVersion],
});

/** A search for a better scorecard, which starts from an analysis. Deleting it deletes its nodes. */
export class Exploration extends ExplorationSchema.class {}
ExplorationSchema.setClass(Exploration);
