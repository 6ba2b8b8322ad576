import { deletedOption, type DeletedOption } from '../signatures/deleted-option.ts';
import type {
  CursorPage,
  CursorRequest,
  Page,
  PageRequest,
  PageTotal,
  StreamRequest,
} from '../read-model/page.ts';
import type { RowStream } from '../read-model/row-stream.ts';
import { readModel, type ShownBy } from '../read-model/read-model.ts';
import { LegacyReader } from './legacy-reader.ts';
import {
  fields,
  Key,
  optional,
  pageOf,
  cursorOf,
  streamOf,
  type FieldChecks,
  reads,
  streams,
  type Signatures,
} from '../signatures/index.ts';

const scorecards = readModel({
  from: 'feature_scorecards',
  select: {
    id: 'id',
    /** Null when it belongs to no experiment, or its experiment's row was deleted. */
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
 * A legacy scorecard as stored.
 *
 * @deprecated Kept for its stored data.
 */
export type FeatureScorecardRow = ShownBy<typeof scorecards>;

/**
 * Filters of legacy scorecards. With `experimentId`: those of that experiment, deleted or not. Without: all, hiding those of deleted
 * experiments unless `deleted` is `included`.
 *
 * @deprecated Kept for its stored data.
 */
export interface FeatureScorecardFilter extends DeletedOption {
  readonly experimentId?: string | undefined;
}

const filterFields: FieldChecks<FeatureScorecardFilter> = { experimentId: optional(Key), ...deletedOption };

/**
 * Scorecards of older versions, which were separate from their experiments. Read-only.
 *
 * @deprecated Kept for its stored data; use `ExperimentRepository`.
 */
export class FeatureScorecardRepository extends LegacyReader {
  /**
   * Returns the scorecard with this key; null if none exists.
   *
   * @deprecated Kept for its stored data.
   */
  findRow(key: string): Promise<FeatureScorecardRow | null> {
    return this.read(scorecards).find(key, { deleted: 'included' });
  }

  /**
   * Returns the scorecard with this key.
   *
   * @deprecated Kept for its stored data.
   * @throws NotFoundError if it does not exist.
   */
  getRow(key: string): Promise<FeatureScorecardRow> {
    return this.read(scorecards).get(key, { deleted: 'included' });
  }

  /**
   * Returns an offset page of scorecards, newest first by default.
   *
   * @deprecated Kept for its stored data.
   * @throws InvalidPageError
   */
  page<Total extends PageTotal = 'exact'>(
    request: PageRequest<'createdAt', Total> & FeatureScorecardFilter = {},
  ): Promise<Page<FeatureScorecardRow, Total>> {
    return this.read(scorecards).page(includeGivenExperiment(request));
  }

  /**
   * Returns a cursor page of scorecards, newest first by default. A cursor requires the same filter.
   *
   * @deprecated Kept for its stored data.
   * @throws InvalidPageError
   */
  scroll(
    request: CursorRequest<'createdAt'> & FeatureScorecardFilter = {},
  ): Promise<CursorPage<FeatureScorecardRow>> {
    return this.read(scorecards).scroll(includeGivenExperiment(request));
  }

  /**
   * Returns a stream of all scorecards, newest first by default.
   *
   * @deprecated Kept for its stored data.
   * @throws InvalidPageError
   */
  stream(request: StreamRequest<'createdAt'> & FeatureScorecardFilter = {}): RowStream<FeatureScorecardRow> {
    return this.read(scorecards).stream(includeGivenExperiment(request));
  }

  /**
   * Returns the number of scorecards.
   *
   * @deprecated Kept for its stored data.
   */
  count(filter: FeatureScorecardFilter = {}): Promise<number> {
    return this.read(scorecards).count(includeGivenExperiment(filter));
  }

  static readonly signatures = {
    findRow: reads({ key: Key }),
    getRow: reads({ key: Key }),
    page: reads({
      request: pageOf(scorecards, filterFields),
    }),
    scroll: reads({
      request: cursorOf(scorecards, filterFields),
    }),
    stream: streams({ request: streamOf(scorecards, filterFields) }),
    count: reads({ filter: optional(fields<FeatureScorecardFilter>(filterFields)) }),
  } satisfies Signatures<FeatureScorecardRepository>;
}

// A filter by experiment includes a deleted one.
function includeGivenExperiment<Request extends FeatureScorecardFilter>(
  request: Request,
): Request & DeletedOption {
  return request.experimentId === undefined ? request : { ...request, deleted: 'included' };
}
