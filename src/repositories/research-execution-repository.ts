import { LockMode, type EntityManager, type RequiredEntityData } from '@mikro-orm/postgresql';
import { executionStatuses, ResearchExecution } from '../entities/research-execution.ts';
import { deletedOption, type DeletedOption } from './signatures/deleted-option.ts';
import type {
  CursorPage,
  CursorRequest,
  Page,
  PageRequest,
  PageTotal,
  StreamRequest,
} from './read-model/page.ts';
import type { RowStream } from './read-model/row-stream.ts';
import { Repository } from './repository.ts';
import {
  executionDetails,
  executionSummaries,
  type ExecutionSortKey,
  type ExecutionStatus,
  type ExperimentOption,
  type ResearchExecutionDetail,
  type ResearchExecutionSummary,
} from './research-execution-summary.ts';
import { patternStartingWith } from './text-pattern.ts';
import {
  fields,
  Integer,
  Key,
  arrayOf,
  newRow,
  nullable,
  oneOf,
  optional,
  pageOf,
  rowMethods,
  cursorOf,
  streamOf,
  locks,
  reads,
  streams,
  stages,
  writes,
  synchronous,
  type FieldChecks,
  type Signatures,
} from './signatures/index.ts';

export type * from './research-execution-summary.ts';

const executionFilters: FieldChecks<ExperimentOption & DeletedOption> = {
  experiment: optional(nullable(Key)),
  ...deletedOption,
};

/** A new execution. `startedAt` defaults to now. */
export type NewResearchExecution = Omit<RequiredEntityData<ResearchExecution>, 'startedAt'> &
  Partial<Pick<RequiredEntityData<ResearchExecution>, 'startedAt'>>;

/** The interview counts of an execution. An absent count stays as it is. */
export interface InterviewCounts {
  readonly successfulCount?: number | undefined;
  readonly failedCount?: number | undefined;
}

/** The numbers of interviews to add to the counts of an execution; default 0. */
export interface EndedInterviews {
  readonly successful?: number | undefined;
  readonly failed?: number | undefined;
}

/**
 * Rounds of interviews. Those of a deleted experiment are hidden where executions of several experiments are listed or claimed; they are
 * returned by their own keys and by that of their experiment.
 */
export class ResearchExecutionRepository extends Repository<ResearchExecution> {
  constructor(em: EntityManager) {
    super(em, ResearchExecution);
  }

  /** Stages a new execution. `status` defaults to `pending`, `startedAt` to now. */
  override add(data: NewResearchExecution): ResearchExecution {
    return super.add({ ...data, startedAt: data.startedAt ?? new Date() });
  }

  /**
   * Returns every field of an execution, and whether its experiment has a completed summary and PR-FAQ.
   *
   * @throws NotFoundError if it does not exist.
   */
  getDetail(key: string): Promise<ResearchExecutionDetail> {
    return this.read(executionDetails).get(key, { deleted: 'included' });
  }

  /**
   * Returns an offset page of summaries, newest first by default (`startedAt`, `topicName`, `status`). With `experiment`: those of that
   * experiment, deleted or not. Without: those of all experiments, hiding deleted ones unless `deleted` is `included`.
   *
   * @throws InvalidPageError
   */
  pageSummaries<Total extends PageTotal = 'exact'>(
    request: PageRequest<ExecutionSortKey, Total> & ExperimentOption & DeletedOption = {},
  ): Promise<Page<ResearchExecutionSummary, Total>> {
    return this.read(executionSummaries).page(includeGivenExperiment(request));
  }

  /**
   * Returns a cursor page of summaries, sorted and filtered as offset pages are. A cursor requires the same `experiment` and `deleted`.
   *
   * @throws InvalidPageError
   */
  scrollSummaries(
    request: CursorRequest<ExecutionSortKey> & ExperimentOption & DeletedOption = {},
  ): Promise<CursorPage<ResearchExecutionSummary>> {
    return this.read(executionSummaries).scroll(includeGivenExperiment(request));
  }

  /**
   * Returns a stream of all summaries, sorted and filtered as offset pages are.
   *
   * @throws InvalidPageError
   */
  streamSummaries(
    request: StreamRequest<ExecutionSortKey> & ExperimentOption & DeletedOption = {},
  ): RowStream<ResearchExecutionSummary> {
    return this.read(executionSummaries).stream(includeGivenExperiment(request));
  }

  /**
   * Returns the newest automatic interview of an experiment, deleted or not; null if none exists. Its topic starts with
   * `exp_<experiment>_auto`.
   */
  findAutoInterviewSummary(experiment: string): Promise<ResearchExecutionSummary | null> {
    const topic = patternStartingWith(`exp_${experiment}_auto`);
    return this.read(executionSummaries).first({ experiment, topic, deleted: 'included' });
  }

  /** Returns which of the executions belong to an experiment with a completed summary. */
  async existsSummaryBatch(keys: readonly string[]): Promise<Set<string>> {
    return this.#withDocument(keys, 'summary');
  }

  /** Returns which of the executions belong to an experiment with a completed PR-FAQ. */
  async existsPrfaqBatch(keys: readonly string[]): Promise<Set<string>> {
    return this.#withDocument(keys, 'prfaq');
  }

  /** Returns which of the executions have a non-empty additional context. */
  async existsAdditionalContextBatch(keys: readonly string[]): Promise<Set<string>> {
    if (keys.length === 0) return new Set();
    const db = await this.queryForRead();
    const rows = await db
      .selectFrom('research_executions')
      .select('exec_id')
      .where((eb) => eb('exec_id', '=', eb.fn.any(eb.val(keys))))
      .where('additional_context', '<>', '')
      .execute();
    return new Set(rows.map((row) => row.exec_id));
  }

  /** Returns the additional context of each execution, by key; null if it has none. An execution that does not exist is omitted. */
  async findAdditionalContextBatch(keys: readonly string[]): Promise<Map<string, string | null>> {
    if (keys.length === 0) return new Map();
    const db = await this.queryForRead();
    const rows = await db
      .selectFrom('research_executions')
      .select(['exec_id', 'additional_context'])
      .where((eb) => eb('exec_id', '=', eb.fn.any(eb.val(keys))))
      .orderBy('exec_id')
      .execute();
    return new Map(rows.map((row) => [row.exec_id, row.additional_context]));
  }

  /**
   * Returns the pending execution that started first, to be modified, and locks it; null if none exists. Executions that another transaction
   * has locked are skipped, so that concurrent workers claim different ones without waiting. Those of deleted experiments are not claimed.
   */
  async lockNextPending(): Promise<ResearchExecution | null> {
    return this.findOne(
      { status: 'pending', $or: [{ experiment: null }, { experiment: { status: 'active' } }] },
      {
        orderBy: { startedAt: 'asc', id: 'asc' },
        lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE,
        // The ORM's alias of the execution's own table: a lock on the experiment's row would block edits of the experiment.
        lockTableAliases: ['r0'],
      },
    );
  }

  /**
   * Updates the status, and the given counts, by one statement. `completed` and `failed` set `completedAt` to now; every other status clears
   * it.
   *
   * @throws NotFoundError if it does not exist; InvalidValueError when a count is negative.
   */
  async saveStatus(key: string, status: ExecutionStatus, counts: InterviewCounts = {}): Promise<void> {
    const { successfulCount, failedCount } = counts;
    await this.updateRow(
      key,
      { id: key },
      {
        status,
        completedAt: status === 'completed' || status === 'failed' ? new Date() : null,
        ...(successfulCount !== undefined && { successfulCount }),
        ...(failedCount !== undefined && { failedCount }),
      },
    );
  }

  /**
   * Increments the interview counts atomically, by one statement.
   *
   * @throws NotFoundError if it does not exist.
   */
  async recordInterviews(key: string, { successful = 0, failed = 0 }: EndedInterviews): Promise<void> {
    const db = await this.queryForWrite();
    const row = await db
      .updateTable('research_executions')
      .set((eb) => ({
        successful_count: eb('successful_count', '+', successful),
        failed_count: eb('failed_count', '+', failed),
      }))
      .where('exec_id', '=', key)
      .returning('exec_id')
      .executeTakeFirst();
    this.requireFound(row, key);
    await this.reload(key);
  }

  async #withDocument(keys: readonly string[], type: 'summary' | 'prfaq'): Promise<Set<string>> {
    if (keys.length === 0) return new Set();
    const db = await this.queryForRead();
    const rows = await db
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
      )
      .execute();
    return new Set(rows.map((row) => row.exec_id));
  }

  static readonly signatures = {
    ...rowMethods(ResearchExecution),
    add: synchronous(stages({ data: newRow<ResearchExecution, NewResearchExecution>(ResearchExecution) })),
    getDetail: reads({ key: Key }),
    pageSummaries: reads({
      request: pageOf(executionSummaries, executionFilters),
    }),
    scrollSummaries: reads({
      request: cursorOf(executionSummaries, executionFilters),
    }),
    streamSummaries: streams({ request: streamOf(executionSummaries, executionFilters) }),
    findAutoInterviewSummary: reads({ experiment: Key }),
    existsSummaryBatch: reads({ keys: arrayOf(Key) }),
    existsPrfaqBatch: reads({ keys: arrayOf(Key) }),
    existsAdditionalContextBatch: reads({ keys: arrayOf(Key) }),
    findAdditionalContextBatch: reads({ keys: arrayOf(Key) }),
    lockNextPending: locks(),
    saveStatus: writes(
      { key: Key },
      { status: oneOf(executionStatuses) },
      {
        counts: optional(
          fields<InterviewCounts>({ successfulCount: optional(Integer), failedCount: optional(Integer) }),
        ),
      },
    ),
    recordInterviews: writes(
      { key: Key },
      { ended: fields<EndedInterviews>({ successful: optional(Integer), failed: optional(Integer) }) },
    ),
  } satisfies Signatures<ResearchExecutionRepository>;
}

// A filter by experiment includes a deleted one.
function includeGivenExperiment<Request extends ExperimentOption & DeletedOption>(
  request: Request,
): Request & DeletedOption {
  return request.experiment === undefined ? request : { ...request, deleted: 'included' };
}
