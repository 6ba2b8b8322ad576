import type { Kysely } from '@mikro-orm/postgresql';
import type { executionStatuses } from '../entities/research-execution.ts';
import type { Tables } from '../entities/tables.ts';
import type { DeletedOption } from './deleted-option.ts';
import { instant, instantColumn, nullableInstantColumn } from './exact-columns.ts';

export type ExecutionStatus = (typeof executionStatuses)[number];

/** A research execution as lists show it. */
export interface ResearchExecutionSummary {
  readonly id: string;
  /** Null when it belongs to no experiment, or to one that is gone. */
  readonly experimentId: string | null;
  readonly topicName: string;
  readonly status: ExecutionStatus;
  readonly synthCount: number;
  readonly startedAt: Date;
  /** Null until it is completed or has failed. */
  readonly completedAt: Date | null;
}

/** A research execution with all that is known of it, and what was written about its experiment. */
export interface ResearchExecutionDetail extends ResearchExecutionSummary {
  readonly successfulCount: number;
  readonly failedCount: number;
  readonly model: string;
  readonly maxTurns: number;
  readonly additionalContext: string | null;
  /** Whether its experiment has a completed summary. */
  readonly summaryAvailable: boolean;
  /** Whether its experiment has a completed PR-FAQ. */
  readonly prfaqAvailable: boolean;
}

/** Which executions: those of an experiment, or with null those of none. All when absent. */
export interface ExperimentOption {
  readonly experiment?: string | null | undefined;
}

const summaryColumns = [
  'exec_id',
  'experiment_id',
  'topic_name',
  'status',
  'synth_count',
  instantColumn('started_at'),
  nullableInstantColumn('completed_at'),
] as const;

/**
 * The executions of the experiment, if it is given, else of all that `deleted` lets see: in no order, not limited, no column chosen.
 */
export function executionsOf(db: Kysely<Tables>, { experiment, deleted }: ExperimentOption & DeletedOption) {
  const executions = db.selectFrom('research_executions');
  if (experiment === undefined) {
    if (deleted === 'included') return executions;
    return executions.where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('experiments')
            .select('experiments.id')
            .whereRef('experiments.id', '=', 'research_executions.experiment_id')
            .where('experiments.status', '=', 'deleted'),
        ),
      ),
    );
  }
  return experiment === null
    ? executions.where('experiment_id', 'is', null)
    : executions.where('experiment_id', '=', experiment);
}

/** The name of such a list; it is in the list's cursors. */
export function listOf({ experiment, deleted }: ExperimentOption & DeletedOption): string {
  if (experiment !== undefined) return `research_executions:${experiment ?? ''}`;
  return deleted === 'included' ? 'research_executions, deleted included' : 'research_executions';
}

/** Those of `keys` whose experiment has a completed document of this type. */
export function executionsWithDocument(
  db: Kysely<Tables>,
  keys: readonly string[],
  type: 'summary' | 'prfaq',
) {
  return db
    .selectFrom('research_executions')
    .select('exec_id')
    .where((eb) => eb('exec_id', '=', eb.fn.any(eb.val(keys))))
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('experiment_documents')
          .select('experiment_documents.id')
          .whereRef('experiment_documents.experiment_id', '=', 'research_executions.experiment_id')
          .where('document_type', '=', type)
          .where('experiment_documents.status', '=', 'completed'),
      ),
    );
}

type Executions = ReturnType<typeof executionsOf>;

export const summaries = (executions: Executions) => executions.select(summaryColumns);
export const total = (executions: Executions) => executions.select(({ fn }) => fn.countAll().as('total'));
export const details = (db: Kysely<Tables>, key: string) =>
  summaries(executionsOf(db, { deleted: 'included' }))
    .where('exec_id', '=', key)
    .select(['successful_count', 'failed_count', 'model', 'max_turns', 'additional_context'])
    .select((eb) => [
      eb.exists(executionsWithDocument(db, [key], 'summary')).as('summary_available'),
      eb.exists(executionsWithDocument(db, [key], 'prfaq')).as('prfaq_available'),
    ]);

type SummaryRow = Awaited<ReturnType<ReturnType<typeof summaries>['execute']>>[number];
type DetailRow = Awaited<ReturnType<ReturnType<typeof details>['execute']>>[number];

export function toSummary(row: SummaryRow): ResearchExecutionSummary {
  return {
    id: row.exec_id,
    experimentId: row.experiment_id,
    topicName: row.topic_name,
    status: row.status,
    synthCount: row.synth_count,
    startedAt: instant(row.started_at_hex),
    completedAt: instant(row.completed_at_hex),
  };
}

export function toDetail(row: DetailRow): ResearchExecutionDetail {
  return {
    ...toSummary(row),
    successfulCount: row.successful_count,
    failedCount: row.failed_count,
    model: row.model,
    maxTurns: row.max_turns,
    additionalContext: row.additional_context,
    summaryAvailable: Boolean(row.summary_available),
    prfaqAvailable: Boolean(row.prfaq_available),
  };
}
