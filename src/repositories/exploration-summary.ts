import type { Kysely } from '@mikro-orm/postgresql';
import type { Exploration, ExplorationConfig, ExplorationGoal } from '../entities/exploration.ts';
import type { Tables } from '../entities/tables.ts';
import {
  double,
  instant,
  instantColumn,
  nullableDoubleColumn,
  nullableInstantColumn,
} from './exact-columns.ts';

/** An exploration as lists show it: what it looks for, and how far it has come. */
export interface ExplorationSummary {
  readonly id: string;
  readonly experimentId: string;
  readonly baselineAnalysisId: string;
  readonly goal: ExplorationGoal;
  readonly config: ExplorationConfig;
  readonly status: Exploration['status'];
  readonly currentDepth: number;
  readonly totalNodes: number;
  readonly totalLlmCalls: number;
  readonly bestSuccessRate: number | null;
  readonly startedAt: Date;
  readonly completedAt: Date | null;
}

export function explorationSummaries(db: Kysely<Tables>) {
  return db
    .selectFrom('explorations')
    .select([
      'id',
      'experiment_id',
      'baseline_analysis_id',
      'goal',
      'config',
      'status',
      'current_depth',
      'total_nodes',
      'total_llm_calls',
      nullableDoubleColumn('best_success_rate'),
      instantColumn('started_at'),
      nullableInstantColumn('completed_at'),
    ]);
}

type Row = Awaited<ReturnType<ReturnType<typeof explorationSummaries>['execute']>>[number];

export function toExplorationSummary(row: Row): ExplorationSummary {
  return {
    id: row.id,
    experimentId: row.experiment_id,
    baselineAnalysisId: row.baseline_analysis_id,
    goal: row.goal,
    config: row.config,
    status: row.status,
    currentDepth: row.current_depth,
    totalNodes: row.total_nodes,
    totalLlmCalls: row.total_llm_calls,
    bestSuccessRate: double(row.best_success_rate_hex),
    startedAt: instant(row.started_at_hex),
    completedAt: instant(row.completed_at_hex),
  };
}
