import { deletedOption, type DeletedOption } from '../signatures/deleted-option.ts';
import type { CursorPage, CursorRequest, Page, PageRequest } from '../read-model/page.ts';
import { readModel, type ShownBy } from '../read-model/read-model.ts';
import { LegacyReader } from './legacy-reader.ts';
import {
  fields,
  Key,
  optional,
  pageRequest,
  cursorRequest,
  type FieldChecks,
  reads,
  type Signatures,
} from '../signatures/index.ts';

const scorecards = readModel({
  from: 'feature_scorecards',
  select: {
    id: 'id',
    /** Null when it belongs to none, or to one that was deleted for good. */
    experimentId: 'experiment_id',
    data: 'data',
    createdAt: 'created_at',
    updatedAt: 'updated_at',
  },
  sorts: { createdAt: 'created_at' },
  filters: (by) => ({
    experimentId: 'experiment_id',
    deleted: by.choice({
      hidden: (eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('experiments')
              .select('experiments.id')
              .whereRef('experiments.id', '=', 'feature_scorecards.experiment_id')
              .where('experiments.status', '=', 'deleted'),
          ),
        ),
      included: null,
    }),
  }),
});

/**
 * A legacy scorecard as it was stored.
 *
 * @deprecated Lives on for its data.
 */
export type FeatureScorecardRow = ShownBy<typeof scorecards>;

/**
 * Which legacy scorecards: those of an experiment, deleted or not; absent, all but those of deleted experiments, unless asked for.
 *
 * @deprecated Lives on for its data.
 */
export interface FeatureScorecardFilter extends DeletedOption {
  readonly experimentId?: string | undefined;
}

const filterFields: FieldChecks<FeatureScorecardFilter> = { experimentId: optional(Key), ...deletedOption };

/**
 * Scorecards from before scorecards lived in their experiment, to be read and no more.
 *
 * @deprecated Lives on for its data; scorecards live in `ExperimentRepository`.
 */
export class FeatureScorecardRepository extends LegacyReader {
  /**
   * The scorecard with this key; null if none exists.
   *
   * @deprecated Lives on for its data.
   */
  findRow(key: string): Promise<FeatureScorecardRow | null> {
    return this.ask(scorecards).find(key, { deleted: 'included' });
  }

  /**
   * The scorecard with this key.
   *
   * @deprecated Lives on for its data.
   * @throws NotFoundError if it does not exist.
   */
  getRow(key: string): Promise<FeatureScorecardRow> {
    return this.ask(scorecards).get(key, { deleted: 'included' });
  }

  /**
   * Scorecards by page, newest first by default.
   *
   * @deprecated Lives on for its data.
   * @throws InvalidPageError
   */
  page(request: PageRequest<'createdAt'> & FeatureScorecardFilter = {}): Promise<Page<FeatureScorecardRow>> {
    return this.ask(scorecards).page(narrowed(request));
  }

  /**
   * Scorecards newest first, from a cursor on; of one experiment, if it is given.
   *
   * @deprecated Lives on for its data.
   * @throws InvalidPageError
   */
  scroll(
    request: CursorRequest<'createdAt'> & FeatureScorecardFilter = {},
  ): Promise<CursorPage<FeatureScorecardRow>> {
    return this.ask(scorecards).scroll(narrowed(request));
  }

  /**
   * How many scorecards there are.
   *
   * @deprecated Lives on for its data.
   */
  count(filter: FeatureScorecardFilter = {}): Promise<number> {
    return this.ask(scorecards).count(narrowed(filter));
  }

  static readonly signatures = {
    findRow: reads({ key: Key }),
    getRow: reads({ key: Key }),
    page: reads({
      request: optional(
        fields<PageRequest<'createdAt'> & FeatureScorecardFilter>({
          ...pageRequest(['createdAt']),
          ...filterFields,
        }),
      ),
    }),
    scroll: reads({
      request: optional(
        fields<CursorRequest<'createdAt'> & FeatureScorecardFilter>({
          ...cursorRequest(['createdAt']),
          ...filterFields,
        }),
      ),
    }),
    count: reads({ filter: optional(fields<FeatureScorecardFilter>(filterFields)) }),
  } satisfies Signatures<FeatureScorecardRepository>;
}

// A filter by experiment includes a deleted one.
function narrowed<Request extends FeatureScorecardFilter>(request: Request): Request & DeletedOption {
  return request.experimentId === undefined ? request : { ...request, deleted: 'included' };
}
