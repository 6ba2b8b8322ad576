import { LockMode, type EntityManager } from '@mikro-orm/postgresql';
import { Exploration, explorationStatuses } from '../entities/exploration.ts';
import {
  explorationSummaries,
  type ExplorationSortKey,
  type ExplorationSummary,
} from './exploration-summary.ts';
import type { CursorPage, CursorRequest, Page, PageRequest } from './read-model/page.ts';
import { readByKey } from './find-by-key.ts';
import { Repository } from './repository.ts';
import {
  fields,
  Instant,
  Integer,
  Key,
  FiniteNumber,
  oneOf,
  optional,
  pageRequest,
  rowMethods,
  cursorRequest,
  locks,
  reads,
  writes,
  type Signatures,
} from './signatures/index.ts';

/** What a worker reports: how many nodes it added, how deep it got, and the best success rate that it found. */
export interface ExplorationProgress {
  readonly nodes?: number | undefined;
  readonly depth?: number | undefined;
  readonly successRate?: number | undefined;
}

/**
 * Searches for better scorecards. Their counters are raised where they are, never written over. Those of a deleted experiment can
 * still be reached, by their own keys and by its.
 */
export class ExplorationRepository extends Repository<Exploration> {
  constructor(em: EntityManager) {
    super(em, Exploration);
  }

  /**
   * The exploration with this key as it is now, to be modified; null if none exists. Others that would change or lock it wait
   * until this transaction ends.
   */
  lock(key: string): Promise<Exploration | null> {
    return this.one({ id: key }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  }

  /**
   * The exploration with this key, to be shown.
   *
   * @throws NotFoundError if it does not exist.
   */
  getSummary(key: string): Promise<ExplorationSummary> {
    return this.ask(explorationSummaries).get(key);
  }

  /**
   * An experiment's explorations by page, latest started first by default (`startedAt`, `completedAt`,
   * `bestSuccessRate`; null last).
   *
   * @throws InvalidPageError
   */
  pageSummaries(
    experimentId: string,
    request: PageRequest<ExplorationSortKey> = {},
  ): Promise<Page<ExplorationSummary>> {
    return this.ask(explorationSummaries).page({ ...request, experiment: experimentId });
  }

  /**
   * An experiment's explorations by cursor page, sorted as pages are.
   *
   * @throws InvalidPageError
   */
  scrollSummaries(
    experimentId: string,
    request: CursorRequest<ExplorationSortKey> = {},
  ): Promise<CursorPage<ExplorationSummary>> {
    return this.ask(explorationSummaries).scroll({ ...request, experiment: experimentId });
  }

  /**
   * Adds LLM calls to those already counted, by one statement: no call of another worker is lost. Gives the new total, to be held
   * against the budget.
   *
   * @throws NotFoundError if it does not exist.
   */
  async recordLlmCalls(key: string, calls: number): Promise<number> {
    const db = await this.writing();
    const row = await db
      .updateTable('explorations')
      .set((eb) => ({ total_llm_calls: eb('total_llm_calls', '+', calls) }))
      .where('id', '=', key)
      .returning('total_llm_calls')
      .executeTakeFirst();
    const { total_llm_calls } = this.must(row, key);
    await this.reload(key);
    return total_llm_calls;
  }

  /**
   * Counts new nodes, and raises the depth and the best success rate where what is given is higher, by one statement: workers
   * that report at once lose nothing of each other.
   *
   * @throws NotFoundError if it does not exist.
   */
  async recordProgress(key: string, { nodes = 0, depth, successRate }: ExplorationProgress): Promise<void> {
    const db = await this.writing();
    const row = await db
      .updateTable('explorations')
      .set((eb) => ({
        total_nodes: eb('total_nodes', '+', nodes),
        // The greatest of a value and null is the value.
        current_depth: eb.fn<number>('greatest', ['current_depth', eb.val(depth ?? null)]),
        best_success_rate: eb.fn<number | null>('greatest', [
          'best_success_rate',
          eb.val(successRate ?? null),
        ]),
      }))
      .where('id', '=', key)
      .returning('id')
      .executeTakeFirst();
    this.must(row, key);
    await this.reload(key);
  }

  /**
   * Ends a running exploration by one statement. False when it had ended before: how it ended then stays, so that of several that
   * end it one wins.
   *
   * @throws NotFoundError if it does not exist.
   */
  async finish(
    key: string,
    status: Exclude<Exploration['status'], 'running'>,
    completedAt: Date = new Date(),
  ): Promise<boolean> {
    await this.writing();
    const where = { id: key, status: 'running' } as const;
    const ended = await this.em.nativeUpdate(Exploration, where, { status, completedAt });
    if (ended > 0) await this.reload(key);
    else this.must(await readByKey(this.em, Exploration, key), key);
    return ended > 0;
  }

  static readonly signatures = {
    ...rowMethods(Exploration),
    lock: locks({ key: Key }),
    getSummary: reads({ key: Key }),
    pageSummaries: reads(
      { experimentId: Key },
      {
        request: optional(
          fields<PageRequest<ExplorationSortKey>>(pageRequest(explorationSummaries.sortKeys)),
        ),
      },
    ),
    scrollSummaries: reads(
      { experimentId: Key },
      {
        request: optional(
          fields<CursorRequest<ExplorationSortKey>>(cursorRequest(explorationSummaries.sortKeys)),
        ),
      },
    ),
    recordLlmCalls: writes({ key: Key }, { calls: Integer }),
    recordProgress: writes(
      { key: Key },
      {
        progress: fields<ExplorationProgress>({
          nodes: optional(Integer),
          depth: optional(Integer),
          successRate: optional(FiniteNumber),
        }),
      },
    ),
    finish: writes(
      { key: Key },
      { status: oneOf(explorationStatuses.filter((status) => status !== 'running')) },
      { completedAt: optional(Instant) },
    ),
  } satisfies Signatures<ExplorationRepository>;
}
