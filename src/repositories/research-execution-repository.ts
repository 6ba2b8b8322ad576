import { LockMode, type EntityManager, type RequiredEntityData } from '@mikro-orm/postgresql';
import { executionStatuses, ResearchExecution } from '../entities/research-execution.ts';
import { deletedOption, type DeletedOption } from './deleted-option.ts';
import { exactInstant } from './exact-columns.ts';
import { checkedPage, type Page, type PageRequest, type CursorPage, type CursorRequest } from './page.ts';
import { readPage, startOf, toCursorPage } from './read-page.ts';
import { Repository } from './repository.ts';
import {
  details,
  executionsOf,
  executionsWithDocument,
  listOf,
  summaries,
  toDetail,
  toSummary,
  total,
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

const sortKeys = ['startedAt', 'topicName', 'status'] as const;
const sortColumns = { startedAt: 'started_at', topicName: 'topic_name', status: 'status' } as const;

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
   * @throws NotFoundError when there is none.
   */
  async getDetail(key: string): Promise<ResearchExecutionDetail> {
    const row = await details(await this.rows(), key).executeTakeFirst();
    return toDetail(this.must(row, key));
  }

  /**
   * Summaries by page, newest first unless sorted otherwise (`startedAt`, `topicName`, `status`); of one experiment, deleted or not,
   * if it is given, else of all but deleted ones, unless asked for.
   *
   * @throws InvalidPageError
   */
  async pageSummaries(
    request: PageRequest<(typeof sortKeys)[number]> & ExperimentOption & DeletedOption = {},
  ): Promise<Page<ResearchExecutionSummary>> {
    const page = checkedPage(request, sortKeys);
    const db = await this.rows();
    const executions = executionsOf(db, request);
    const list = summaries(executions)
      .orderBy(sortColumns[page.sortBy], page.sortOrder)
      .orderBy('exec_id', page.sortOrder)
      .limit(page.limit)
      .offset(page.offset);
    return readPage(db, total(executions).compile(), list.compile(), page, toSummary);
  }

  /**
   * Summaries newest first, from a cursor on; of one experiment, deleted or not, if it is given, else of all but deleted ones, unless
   * asked for. A cursor goes on with the same `experiment` and `deleted` only.
   *
   * @throws InvalidPageError
   */
  async scrollSummaries(
    request: CursorRequest & ExperimentOption & DeletedOption = {},
  ): Promise<CursorPage<ResearchExecutionSummary>> {
    const name = listOf(request);
    const { from, first } = startOf(name, request);
    let executions = executionsOf(await this.rows(), request);
    if (from) {
      executions = executions.where((eb) =>
        eb(eb.refTuple('started_at', 'exec_id'), '<', eb.tuple(from.at, from.key)),
      );
    }
    const rows = await summaries(executions)
      .orderBy('started_at', 'desc')
      .orderBy('exec_id', 'desc')
      .limit(first + 1)
      .execute();
    return toCursorPage(
      name,
      rows,
      first,
      (row) => ({ at: exactInstant(row.started_at_hex), key: row.exec_id }),
      toSummary,
    );
  }

  /**
   * The newest automatic interview of the experiment, deleted or not: one whose topic starts with `exp_<experiment>_auto`; null when
   * there is none.
   */
  async findAutoInterviewSummary(experiment: string): Promise<ResearchExecutionSummary | null> {
    const row = await summaries(executionsOf(await this.rows(), { experiment }))
      .where('topic_name', 'like', startingWith(`exp_${experiment}_auto`))
      .orderBy('started_at', 'desc')
      .orderBy('exec_id', 'desc')
      .limit(1)
      .executeTakeFirst();
    return row ? toSummary(row) : null;
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
   * The additional context of each of the executions, by key, null where there is none. An execution that does not exist is left out.
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
   * The pending execution that waits longest, held to the end of the transaction; null when there is none that nobody else holds.
   * Whoever asks at the same time gets another. Executions of deleted experiments wait until those are restored.
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
   * @throws NotFoundError when there is none; InvalidValueError on a negative count.
   */
  async saveStatus(key: string, status: ExecutionStatus, counts: InterviewCounts = {}): Promise<void> {
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
    const rows = await executionsWithDocument(await this.rows(), keys, type).execute();
    return new Set(rows.map((row) => row.exec_id));
  }

  static readonly signatures = {
    ...rowMethods(ResearchExecution),
    add: synchronous(stages({ data: newRow<ResearchExecution, NewResearchExecution>(ResearchExecution) })),
    getDetail: reads({ key: Key }),
    pageSummaries: reads({
      request: optional(
        fields<PageRequest<(typeof sortKeys)[number]> & ExperimentOption & DeletedOption>({
          ...pageRequest(sortKeys),
          experiment: optional(nullable(Key)),
          ...deletedOption,
        }),
      ),
    }),
    scrollSummaries: reads({
      request: optional(
        fields<CursorRequest & ExperimentOption & DeletedOption>({
          ...cursorRequest,
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
