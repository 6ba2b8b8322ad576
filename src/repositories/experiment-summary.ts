import { countOf, hasRow } from './read-model/lookups.ts';
import { readModel, type ShownBy, type SortKeyOf } from './read-model/read-model.ts';

export const experimentSummaries = readModel({
  from: 'experiments',
  select: {
    id: 'id',
    name: 'name',
    hypothesis: 'hypothesis',
    description: 'description',
    hasScorecard: (eb) => eb('experiments.scorecard_data', 'is not', null),
    hasAnalysis: (eb) =>
      hasRow(eb.selectFrom('analysis_runs').whereRef('experiment_id', '=', 'experiments.id')),
    hasInterviewGuide: (eb) =>
      hasRow(eb.selectFrom('interview_guide').whereRef('experiment_id', '=', 'experiments.id')),
    interviewCount: (eb) =>
      countOf(eb.selectFrom('research_executions').whereRef('experiment_id', '=', 'experiments.id')),
    createdAt: 'created_at',
    updatedAt: 'updated_at',
  },
  sorts: { createdAt: 'created_at', updatedAt: 'updated_at', name: 'name' },
  filters: (by) => ({
    deleted: by.choice({ hidden: (eb) => eb('status', '=', 'active'), included: null }),
  }),
});

export type ExperimentSortKey = SortKeyOf<typeof experimentSummaries>;

/** An experiment in lists, with flags for what it already has. */
export type ExperimentSummary = ShownBy<typeof experimentSummaries>;
