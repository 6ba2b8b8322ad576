import { LockMode, type EntityManager, type RequiredEntityData } from '@mikro-orm/postgresql';
import { executionStatuses, ResearchExecution } from '../entities/research-execution.ts';
import { deletedOption, type DeletedOption } from './signatures/deleted-option.ts';
import type { CursorPage, CursorRequest, Page, PageRequest } from './read-model/page.ts';
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
import { startingWith } from './text-pattern.ts';
import {
  fields,
  Integer,
  Key,
  arrayOf,
  newRow,
  nullable,
  oneOf,
  optional,
  pageRequest,
  rowMethods,
  cursorRequest,
  locks,
  reads,
  stages,
  writes,
  synchronous,
  type Signatures,
} from './signatures/index.ts';

/** A new execution; it starts now unless it says otherwise. */
export type NewResearchExecution = Omit<RequiredEntityData<ResearchExecution>, 'startedAt'> &
  Partial<Pick<RequiredEntityData<ResearchExecution>, 'startedAt'>>;

/** How many of an execution's interviews were counted so far. An absent count stays as it is. */
export interface InterviewCounts {
  readonly successfulCount?: number | undefined;
  readonly failedCount?: number | undefined;
}

/** How many interviews have ended since the last report. */
export interface EndedInterviews {
  readonly successful?: number | undefined;
  readonly failed?: number | undefined;
}

/**
 * Rounds of interviews. Those of a deleted experiment are hidden where executions of several experiments are listed or claimed, and
 * can be reached by their own keys and by their experiment's.
 */
export class ResearchExecutionRepository extends Repository<ResearchExecution> {
  constructor(em: EntityManager) {
    super(em, ResearchExecution);
  }

  /** Stages a new execution: pending, and started now, unless it says otherwise. */
  override add(data: NewResearchExecution): ResearchExecution {
    return super.add({ ...data, startedAt: data.startedAt ?? new Date() });
  }

  /**
   * All that is known of an execution, and whether its experiment has a completed summary and PR-FAQ.
   *
   * @throws NotFoundError if it does not exist.
   */
  getDetail(key: string): Promise<ResearchExecutionDetail> {
    return this.ask(executionDetails).get(key, { deleted: 'included' });
  }

  /**
   * Summaries by page, newest first by default (`startedAt`, `topicName`, `status`); of one experiment, deleted or not,
   * if it is given, else of all but deleted ones, unless asked for.
   *
   * @throws InvalidPageError
   */
  pageSummaries(
    request: PageRequest<ExecutionSortKey> & ExperimentOption & DeletedOption = {},
  ): Promise<Page<ResearchExecutionSummary>> {
    return this.ask(executionSummaries).page(narrowed(request));
  }

  /**
   * Summaries by cursor page, sorted and narrowed as pages are. A cursor continues with the same `experiment` and `deleted` only.
   *
   * @throws InvalidPageError
   */
  scrollSummaries(
    request: CursorRequest<ExecutionSortKey> & ExperimentOption & DeletedOption = {},
  ): Promise<CursorPage<ResearchExecutionSummary>> {
    return this.ask(executionSummaries).scroll(narrowed(request));
  }

  /**
   * The newest automatic interview of the experiment, deleted or not: one whose topic starts with `exp_<experiment>_auto`; null if none exists.
   */
  findAutoInterviewSummary(experiment: string): Promise<ResearchExecutionSummary | null> {
    const topic = startingWith(`exp_${experiment}_auto`);
    return this.ask(executionSummaries).first({ experiment, topic, deleted: 'included' });
  }

  /** Which of the executions belong to an experiment with a completed summary. */
  async existsSummaryBatch(keys: readonly string[]): Promise<Set<string>> {
    return this.#withDocument(keys, 'summary');
  }

  /** Which of the executions belong to an experiment with a completed PR-FAQ. */
  async existsPrfaqBatch(keys: readonly string[]): Promise<Set<string>> {
    return this.#withDocument(keys, 'prfaq');
  }

  /** Which of the executions have an additional context, one that is not empty. */
  async existsAdditionalContextBatch(keys: readonly string[]): Promise<Set<string>> {
    if (keys.length === 0) return new Set();
    const db = await this.rows();
    const rows = await db
      .selectFrom('research_executions')
      .select('exec_id')
      .where((eb) => eb('exec_id', '=', eb.fn.any(eb.val(keys))))
      .where('additional_context', '<>', '')
      .execute();
    return new Set(rows.map((row) => row.exec_id));
  }

  /**
   * The additional context of each of the executions, by key, null if it has none. An execution that does not exist is left out.
   */
  async findAdditionalContextBatch(keys: readonly string[]): Promise<Map<string, string | null>> {
    if (keys.length === 0) return new Map();
    const db = await this.rows();
    const rows = await db
      .selectFrom('research_executions')
      .select(['exec_id', 'additional_context'])
      .where((eb) => eb('exec_id', '=', eb.fn.any(eb.val(keys))))
      .orderBy('exec_id')
      .execute();
    return new Map(rows.map((row) => [row.exec_id, row.additional_context]));
  }

  /**
   * The pending execution that waits longest, held to the end of the transaction; null if other transactions hold all of them.
   * Concurrent callers get different executions. Executions of deleted experiments wait until those are restored.
   */
  async lockNextPending(): Promise<ResearchExecution | null> {
    return this.one(
      { status: 'pending', $or: [{ experiment: null }, { experiment: { status: 'active' } }] },
      {
        orderBy: { startedAt: 'asc', id: 'asc' },
        lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE,
        // The ORM's name for the execution's own table: a lock on the experiment's would be in the way of who edits that.
        lockTableAliases: ['r0'],
      },
    );
  }

  /**
   * Records how far the execution has got, by one statement. Completed or failed, it is completed now; otherwise it is not
   * completed. The counts replace what was counted so far, where they are given.
   *
   * @throws NotFoundError if it does not exist; InvalidValueError on a negative count.
   */
  async updateStatus(key: string, status: ExecutionStatus, counts: InterviewCounts = {}): Promise<void> {
    const { successfulCount, failedCount } = counts;
    await this.change(
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
   * Adds interviews to those counted so far, by one statement, so that none is lost when several end at once.
   *
   * @throws NotFoundError when there is no such execution.
   */
  async recordInterviews(key: string, { successful = 0, failed = 0 }: EndedInterviews): Promise<void> {
    const db = await this.writing();
    const row = await db
      .updateTable('research_executions')
      .set((eb) => ({
        successful_count: eb('successful_count', '+', successful),
        failed_count: eb('failed_count', '+', failed),
      }))
      .where('exec_id', '=', key)
      .returning('exec_id')
      .executeTakeFirst();
    this.must(row, key);
    await this.reload(key);
  }

  async #withDocument(keys: readonly string[], type: 'summary' | 'prfaq'): Promise<Set<string>> {
    if (keys.length === 0) return new Set();
    const db = await this.rows();
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
      request: optional(
        fields<PageRequest<ExecutionSortKey> & ExperimentOption & DeletedOption>({
          ...pageRequest(executionSummaries.sortKeys),
          experiment: optional(nullable(Key)),
          ...deletedOption,
        }),
      ),
    }),
    scrollSummaries: reads({
      request: optional(
        fields<CursorRequest<ExecutionSortKey> & ExperimentOption & DeletedOption>({
          ...cursorRequest(executionSummaries.sortKeys),
          experiment: optional(nullable(Key)),
          ...deletedOption,
        }),
      ),
    }),
    findAutoInterviewSummary: reads({ experiment: Key }),
    existsSummaryBatch: reads({ keys: arrayOf(Key) }),
    existsPrfaqBatch: reads({ keys: arrayOf(Key) }),
    existsAdditionalContextBatch: reads({ keys: arrayOf(Key) }),
    findAdditionalContextBatch: reads({ keys: arrayOf(Key) }),
    lockNextPending: locks(),
    updateStatus: writes(
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
function narrowed<Request extends ExperimentOption & DeletedOption>(
  request: Request,
): Request & DeletedOption {
  return request.experiment === undefined ? request : { ...request, deleted: 'included' };
}
