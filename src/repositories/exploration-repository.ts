import { LockMode, type EntityManager } from '@mikro-orm/postgresql';
import { Exploration, explorationStatuses } from '../entities/exploration.ts';
import {
  explorationSummaries,
  type ExplorationSortKey,
  type ExplorationSummary,
} from './exploration-summary.ts';
import type {
  CursorPage,
  CursorRequest,
  Page,
  PageRequest,
  PageTotal,
  StreamRequest,
} from './read-model/page.ts';
import type { RowStream } from './read-model/row-stream.ts';
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
  pageOf,
  rowMethods,
  cursorOf,
  streamOf,
  locks,
  reads,
  streams,
  writes,
  type Signatures,
} from './signatures/index.ts';

export type * from './exploration-summary.ts';

/** The progress that a worker reports: the number of nodes added, the depth reached, and the best success rate found. */
export interface ExplorationProgress {
  readonly nodes?: number | undefined;
  readonly depth?: number | undefined;
  readonly successRate?: number | undefined;
}

/**
 * Searches for better scorecards. Their counters are incremented atomically, never overwritten. Those of a deleted experiment are still
 * returned, by their own keys and by its key.
 */
export class ExplorationRepository extends Repository<Exploration> {
  constructor(em: EntityManager) {
    super(em, Exploration);
  }

  /**
   * Returns the exploration with this key as it is now, to be modified, and locks it; null if none exists. Others that change or lock it
   * wait until this transaction ends.
   */
  lock(key: string): Promise<Exploration | null> {
    return this.findOne({ id: key }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  }

  /**
   * Returns the summary of one exploration.
   *
   * @throws NotFoundError if it does not exist.
   */
  getSummary(key: string): Promise<ExplorationSummary> {
    return this.read(explorationSummaries).get(key);
  }

  /**
   * Returns an offset page of an experiment's explorations, latest started first by default (`startedAt`, `completedAt`,
   * `bestSuccessRate`; null last).
   *
   * @throws InvalidPageError
   */
  pageSummaries<Total extends PageTotal = 'exact'>(
    experimentId: string,
    request: PageRequest<ExplorationSortKey, Total> = {},
  ): Promise<Page<ExplorationSummary, Total>> {
    return this.read(explorationSummaries).page({ ...request, experiment: experimentId });
  }

  /**
   * Returns a cursor page of an experiment's explorations, sorted as offset pages are.
   *
   * @throws InvalidPageError
   */
  scrollSummaries(
    experimentId: string,
    request: CursorRequest<ExplorationSortKey> = {},
  ): Promise<CursorPage<ExplorationSummary>> {
    return this.read(explorationSummaries).scroll({ ...request, experiment: experimentId });
  }

  /**
   * Returns a stream of all explorations of an experiment, sorted as offset pages are.
   *
   * @throws InvalidPageError
   */
  streamSummaries(
    experimentId: string,
    request: StreamRequest<ExplorationSortKey> = {},
  ): RowStream<ExplorationSummary> {
    return this.read(explorationSummaries).stream({ ...request, experiment: experimentId });
  }

  /**
   * Increments the number of LLM calls atomically, by one statement, and returns the new total.
   *
   * @throws NotFoundError if it does not exist.
   */
  async recordLlmCalls(key: string, calls: number): Promise<number> {
    const db = await this.queryForWrite();
    const row = await db
      .updateTable('explorations')
      .set((eb) => ({ total_llm_calls: eb('total_llm_calls', '+', calls) }))
      .where('id', '=', key)
      .returning('total_llm_calls')
      .executeTakeFirst();
    const { total_llm_calls } = this.requireFound(row, key);
    await this.reload(key);
    return total_llm_calls;
  }

  /**
   * Increments the number of nodes, and raises the depth and the best success rate to the given ones if those are higher, atomically, by one
   * statement.
   *
   * @throws NotFoundError if it does not exist.
   */
  async recordProgress(key: string, { nodes = 0, depth, successRate }: ExplorationProgress): Promise<void> {
    const db = await this.queryForWrite();
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
    this.requireFound(row, key);
    await this.reload(key);
  }

  /**
   * Finishes a running exploration, by one statement. Returns false, and changes nothing, if it is finished already: of concurrent calls, one
   * wins.
   *
   * @throws NotFoundError if it does not exist.
   */
  async finish(
    key: string,
    status: Exclude<Exploration['status'], 'running'>,
    completedAt: Date = new Date(),
  ): Promise<boolean> {
    await this.queryForWrite();
    const where = { id: key, status: 'running' } as const;
    const ended = await this.em.nativeUpdate(Exploration, where, { status, completedAt });
    if (ended > 0) await this.reload(key);
    else this.requireFound(await readByKey(this.em, Exploration, key), key);
    return ended > 0;
  }

  static readonly signatures = {
    ...rowMethods(Exploration),
    lock: locks({ key: Key }),
    getSummary: reads({ key: Key }),
    pageSummaries: reads(
      { experimentId: Key },
      {
        request: pageOf(explorationSummaries),
      },
    ),
    scrollSummaries: reads(
      { experimentId: Key },
      {
        request: cursorOf(explorationSummaries),
      },
    ),
    streamSummaries: streams({ experimentId: Key }, { request: streamOf(explorationSummaries) }),
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
