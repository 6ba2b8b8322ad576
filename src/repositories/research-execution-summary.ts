import type { executionStatuses } from '../entities/research-execution.ts';
import { hasRow } from './read-model/lookups.ts';
import { extended, readModel, type ShownBy, type SortKeyOf } from './read-model/read-model.ts';

export type ExecutionStatus = (typeof executionStatuses)[number];

export const executionSummaries = readModel({
  from: 'research_executions',
  select: {
    id: 'exec_id',
    /** Null when it belongs to no experiment, or its experiment's row was deleted. */
    experimentId: 'experiment_id',
    topicName: 'topic_name',
    status: 'status',
    synthCount: 'synth_count',
    startedAt: 'started_at',
    /** Null until its status is `completed` or `failed`. */
    completedAt: 'completed_at',
  },
  sorts: { startedAt: 'started_at', topicName: 'topic_name', status: 'status' },
  filters: (by) => ({
    experiment: 'experiment_id',
    topic: by.where((eb, pattern: string) => eb('topic_name', 'like', pattern)),
    deleted: by.choice({
      hidden: (eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('experiments')
              .select('experiments.id')
              .whereRef('experiments.id', '=', 'research_executions.experiment_id')
              .where('experiments.status', '=', 'deleted'),
          ),
        ),
      included: null,
    }),
  }),
});

export const executionDetails = extended(executionSummaries, {
  successfulCount: 'successful_count',
  failedCount: 'failed_count',
  model: 'model',
  maxTurns: 'max_turns',
  additionalContext: 'additional_context',
  /** Whether its experiment has a completed summary. */
  summaryAvailable: (eb) =>
    hasRow(
      eb
        .selectFrom('experiment_documents')
        .whereRef('experiment_documents.experiment_id', '=', 'research_executions.experiment_id')
        .where('document_type', '=', 'summary')
        .where('experiment_documents.status', '=', 'completed'),
    ),
  /** Whether its experiment has a completed PR-FAQ. */
  prfaqAvailable: (eb) =>
    hasRow(
      eb
        .selectFrom('experiment_documents')
        .whereRef('experiment_documents.experiment_id', '=', 'research_executions.experiment_id')
        .where('document_type', '=', 'prfaq')
        .where('experiment_documents.status', '=', 'completed'),
    ),
});

export type ExecutionSortKey = SortKeyOf<typeof executionSummaries>;

/** A research execution in lists. */
export type ResearchExecutionSummary = ShownBy<typeof executionSummaries>;

/** A research execution with all of its fields, and the state of its experiment's documents. */
export type ResearchExecutionDetail = ShownBy<typeof executionDetails>;

/** A filter by experiment; null selects the executions without one. Absent: no filter. */
export interface ExperimentOption {
  readonly experiment?: string | null | undefined;
}
