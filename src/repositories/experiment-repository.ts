import type { EntityManager } from '@mikro-orm/postgresql';
import { Experiment } from '../entities/experiment.ts';
import { shapes } from '../entities/load-shapes.ts';
import type { Scorecard } from '../entities/shapes.ts';
import { checkDocument } from '../json/check-shape.ts';
import { deletedOption, type DeletedOption } from './signatures/deleted-option.ts';
import { experimentSummaries, type ExperimentSortKey, type ExperimentSummary } from './experiment-summary.ts';
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
  document,
  fields,
  Key,
  nullable,
  optional,
  pageOf,
  rowMethods,
  cursorOf,
  streamOf,
  Text,
  reads,
  streams,
  stages,
  writes,
  type Signatures,
} from './signatures/index.ts';

export type * from './experiment-summary.ts';

/** Changes of an experiment. An absent field stays as it is; null clears it. */
export interface ExperimentChanges {
  readonly name?: string | undefined;
  readonly hypothesis?: string | undefined;
  readonly description?: string | null | undefined;
}

/** Product hypotheses under test. Reads hide deleted experiments unless `deleted` is `included`. */
export class ExperimentRepository extends Repository<Experiment> {
  constructor(em: EntityManager) {
    super(em, Experiment);
  }

  /** Returns the experiment with this key, to be modified; null if it does not exist or is hidden. */
  override async find(key: string, { deleted = 'hidden' }: DeletedOption = {}): Promise<Experiment | null> {
    const found = await super.find(key);
    return found?.status === 'deleted' && deleted === 'hidden' ? null : found;
  }

  /**
   * Returns the experiment with this key, to be modified.
   *
   * @throws NotFoundError if it does not exist or is hidden.
   */
  override async get(key: string, option: DeletedOption = {}): Promise<Experiment> {
    return this.requireFound(await this.find(key, option), key);
  }

  /**
   * Returns the summary of one experiment.
   *
   * @throws NotFoundError if it does not exist or is hidden.
   */
  getSummary(key: string, option: DeletedOption = {}): Promise<ExperimentSummary> {
    return this.read(experimentSummaries).get(key, option);
  }

  /**
   * Returns an offset page of summaries, newest first by default (`createdAt`, `updatedAt`, `name`; null last).
   *
   * @throws InvalidPageError
   */
  pageSummaries<Total extends PageTotal = 'exact'>(
    request: PageRequest<ExperimentSortKey, Total> & DeletedOption = {},
  ): Promise<Page<ExperimentSummary, Total>> {
    return this.read(experimentSummaries).page(request);
  }

  /**
   * Returns a cursor page of summaries, sorted as offset pages are. A cursor requires the same `deleted`.
   *
   * @throws InvalidPageError
   */
  scrollSummaries(
    request: CursorRequest<ExperimentSortKey> & DeletedOption = {},
  ): Promise<CursorPage<ExperimentSummary>> {
    return this.read(experimentSummaries).scroll(request);
  }

  /**
   * Returns a stream of all summaries, sorted as offset pages are.
   *
   * @throws InvalidPageError
   */
  streamSummaries(
    request: StreamRequest<ExperimentSortKey> & DeletedOption = {},
  ): RowStream<ExperimentSummary> {
    return this.read(experimentSummaries).stream(request);
  }

  /**
   * Stages changes of the given fields, and returns the experiment.
   *
   * @throws NotFoundError if it does not exist or is deleted.
   */
  async update(key: string, changes: ExperimentChanges): Promise<Experiment> {
    const experiment = await this.get(key);
    if (changes.name !== undefined) experiment.name = changes.name;
    if (changes.hypothesis !== undefined) experiment.hypothesis = changes.hypothesis;
    if (changes.description !== undefined) experiment.description = changes.description;
    return experiment;
  }

  /**
   * Updates the scorecard, or clears it with null, by one statement.
   *
   * @throws NotFoundError if the experiment does not exist or is deleted; InvalidJsonError when the scorecard has the wrong shape.
   */
  async saveScorecard(key: string, scorecard: Scorecard | null): Promise<void> {
    if (scorecard !== null) checkDocument('experiments.scorecard_data', shapes().Scorecard, scorecard);
    await this.updateRow(key, { id: key, status: 'active' }, { scorecardData: scorecard });
  }

  /**
   * Soft-deletes the experiment: reads hide it by default. Its row and its children stay.
   *
   * @throws NotFoundError if it does not exist or is already deleted.
   */
  async softDelete(key: string): Promise<void> {
    await this.updateRow(key, { id: key, status: 'active' }, { status: 'deleted' });
  }

  /**
   * Restores a soft-deleted experiment. No-op for one that is not deleted.
   *
   * @throws NotFoundError if it does not exist.
   */
  async restore(key: string): Promise<void> {
    this.requireTransaction();
    const experiment = await this.get(key, { deleted: 'included' });
    if (experiment.status === 'deleted')
      await this.updateRow(key, { id: key, status: 'deleted' }, { status: 'active' });
  }

  static readonly signatures = {
    ...rowMethods(Experiment),
    find: reads({ key: Key }, { option: optional(fields<DeletedOption>(deletedOption)) }),
    get: reads({ key: Key }, { option: optional(fields<DeletedOption>(deletedOption)) }),
    getSummary: reads({ key: Key }, { option: optional(fields<DeletedOption>(deletedOption)) }),
    pageSummaries: reads({
      request: pageOf(experimentSummaries, deletedOption),
    }),
    scrollSummaries: reads({
      request: cursorOf(experimentSummaries, deletedOption),
    }),
    streamSummaries: streams({ request: streamOf(experimentSummaries, deletedOption) }),
    update: stages(
      { key: Key },
      {
        changes: fields<ExperimentChanges>({
          name: optional(Text),
          hypothesis: optional(Text),
          description: optional(nullable(Text)),
        }),
      },
    ),
    saveScorecard: writes({ key: Key }, { scorecard: nullable(document<Scorecard>()) }),
    softDelete: writes({ key: Key }),
    restore: writes({ key: Key }),
  } satisfies Signatures<ExperimentRepository>;
}
