import type { EntityManager } from '@mikro-orm/postgresql';
import { Experiment, Scorecard } from '../entities/experiment.ts';
import { checkDocument } from '../json/check-shape.ts';
import { deletedOption, type DeletedOption } from './signatures/deleted-option.ts';
import { experimentSummaries, type ExperimentSortKey, type ExperimentSummary } from './experiment-summary.ts';
import type { CursorPage, CursorRequest, Page, PageRequest } from './read-model/page.ts';
import { Repository } from './repository.ts';
import {
  document,
  fields,
  Key,
  nullable,
  optional,
  pageRequest,
  rowMethods,
  cursorRequest,
  Text,
  reads,
  stages,
  writes,
  type Signatures,
} from './signatures/index.ts';

/** What of an experiment is to be changed. */
export interface ExperimentChanges {
  readonly name?: string | undefined;
  readonly hypothesis?: string | undefined;
  readonly description?: string | null | undefined;
}

/** Product hypotheses under test. A deleted one is hidden from every read, unless asked for. */
export class ExperimentRepository extends Repository<Experiment> {
  constructor(em: EntityManager) {
    super(em, Experiment);
  }

  /** The experiment with this key, to be modified; null if it does not exist or is deleted. */
  override async find(key: string, { deleted = 'hidden' }: DeletedOption = {}): Promise<Experiment | null> {
    const found = await super.find(key);
    return found?.status === 'deleted' && deleted === 'hidden' ? null : found;
  }

  /**
   * The experiment with this key, to be modified.
   *
   * @throws NotFoundError if it does not exist or is deleted.
   */
  override async get(key: string, option: DeletedOption = {}): Promise<Experiment> {
    return this.must(await this.find(key, option), key);
  }

  /**
   * What lists show of one experiment.
   *
   * @throws NotFoundError if it does not exist or is deleted and that was not asked for.
   */
  getSummary(key: string, option: DeletedOption = {}): Promise<ExperimentSummary> {
    return this.ask(experimentSummaries).get(key, option);
  }

  /**
   * Summaries by page, newest first by default (`createdAt`, `updatedAt`, `name`; null last).
   *
   * @throws InvalidPageError
   */
  pageSummaries(
    request: PageRequest<ExperimentSortKey> & DeletedOption = {},
  ): Promise<Page<ExperimentSummary>> {
    return this.ask(experimentSummaries).page(request);
  }

  /**
   * Summaries by cursor page, sorted as pages are. A cursor continues with the same `deleted` only.
   *
   * @throws InvalidPageError
   */
  scrollSummaries(
    request: CursorRequest<ExperimentSortKey> & DeletedOption = {},
  ): Promise<CursorPage<ExperimentSummary>> {
    return this.ask(experimentSummaries).scroll(request);
  }

  /**
   * Changes what is given; an absent field stays as it is, a null description is cleared.
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
   * Replaces the scorecard, or clears it with null, by one statement.
   *
   * @throws NotFoundError if it does not exist or is deleted; InvalidJsonError.
   */
  async updateScorecard(key: string, scorecard: Scorecard | null): Promise<void> {
    if (scorecard !== null) checkDocument('experiments.scorecard_data', Scorecard, scorecard);
    await this.change(key, { id: key, status: 'active' }, { scorecardData: scorecard });
  }

  /**
   * Hides the experiment from every read; its row and its children stay.
   *
   * @throws NotFoundError if it does not exist or is deleted already.
   */
  async softDelete(key: string): Promise<void> {
    await this.change(key, { id: key, status: 'active' }, { status: 'deleted' });
  }

  /**
   * Undoes a soft delete. Does nothing to an experiment that is not deleted.
   *
   * @throws NotFoundError if it does not exist.
   */
  async restore(key: string): Promise<void> {
    this.mustBeInTransaction();
    const experiment = await this.get(key, { deleted: 'included' });
    if (experiment.status === 'deleted')
      await this.change(key, { id: key, status: 'deleted' }, { status: 'active' });
  }

  static readonly signatures = {
    ...rowMethods(Experiment),
    find: reads({ key: Key }, { option: optional(fields<DeletedOption>(deletedOption)) }),
    get: reads({ key: Key }, { option: optional(fields<DeletedOption>(deletedOption)) }),
    getSummary: reads({ key: Key }, { option: optional(fields<DeletedOption>(deletedOption)) }),
    pageSummaries: reads({
      request: optional(
        fields<PageRequest<ExperimentSortKey> & DeletedOption>({
          ...pageRequest(experimentSummaries.sortKeys),
          ...deletedOption,
        }),
      ),
    }),
    scrollSummaries: reads({
      request: optional(
        fields<CursorRequest<ExperimentSortKey> & DeletedOption>({
          ...cursorRequest(experimentSummaries.sortKeys),
          ...deletedOption,
        }),
      ),
    }),
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
    updateScorecard: writes({ key: Key }, { scorecard: nullable(document<Scorecard>()) }),
    softDelete: writes({ key: Key }),
    restore: writes({ key: Key }),
  } satisfies Signatures<ExperimentRepository>;
}
