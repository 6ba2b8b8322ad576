import { readModel, type ShownBy, type SortKeyOf } from './read-model/read-model.ts';

export const explorationSummaries = readModel({
  from: 'explorations',
  select: {
    id: 'id',
    experimentId: 'experiment_id',
    baselineAnalysisId: 'baseline_analysis_id',
    goal: 'goal',
    config: 'config',
    status: 'status',
    currentDepth: 'current_depth',
    totalNodes: 'total_nodes',
    totalLlmCalls: 'total_llm_calls',
    bestSuccessRate: 'best_success_rate',
    startedAt: 'started_at',
    completedAt: 'completed_at',
  },
  sorts: { startedAt: 'started_at', completedAt: 'completed_at', bestSuccessRate: 'best_success_rate' },
  filters: (by) => ({ experiment: by.parent('experiment_id') }),
});

export type ExplorationSortKey = SortKeyOf<typeof explorationSummaries>;

/** An exploration in lists: its goal and its progress. */
export type ExplorationSummary = ShownBy<typeof explorationSummaries>;
