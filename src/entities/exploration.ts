import { defineEntity, p } from '@mikro-orm/core';
import { jsonColumn } from '../json/column.ts';
import { AnalysisRun } from './analysis-run.ts';
import { checks, counts, jsonObjects, keys, rates } from './checks.ts';
import { double, id, instant, rowVersion } from './columns.ts';
import { Experiment } from './experiment.ts';
import { shapes } from './load-shapes.ts';
import { incrementsRowVersion } from './triggers.ts';

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
    goal: jsonColumn(() => shapes().ExplorationGoal),
    config: jsonColumn(() => shapes().ExplorationConfig),
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
