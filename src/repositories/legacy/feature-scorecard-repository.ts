import type { Kysely } from '@mikro-orm/postgresql';
import type { FeatureScorecardData } from '../../entities/legacy/feature-scorecard.ts';
import type { Tables } from '../../entities/tables.ts';
import { NotFoundError } from '../../errors.ts';
import { deletedOption, type DeletedOption } from '../deleted-option.ts';
import { exactInstant, instant, instantColumn, nullableInstantColumn } from '../exact-columns.ts';
import { checkedPage, type Page, type PageRequest, type CursorPage, type CursorRequest } from '../page.ts';
import { readPage, startOf, toCursorPage } from '../read-page.ts';
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

/**
 * A legacy scorecard as it was stored.
 *
 * @deprecated Lives on for its data.
 */
export interface FeatureScorecardRow {
  readonly id: string;
  /** Null when it belongs to none, or to one that was deleted for good. */
  readonly experimentId: string | null;
  readonly data: FeatureScorecardData;
  readonly createdAt: Date;
  readonly updatedAt: Date | null;
}

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
   * The scorecard with this key; null when there is none.
   *
   * @deprecated Lives on for its data.
   */
  async findRow(key: string): Promise<FeatureScorecardRow | null> {
    const row = await selected(await this.rows(), { deleted: 'included' })
      .where('id', '=', key)
      .executeTakeFirst();
    return row ? toRow(row) : null;
  }

  /**
   * The scorecard with this key.
   *
   * @deprecated Lives on for its data.
   * @throws NotFoundError when there is none.
   */
  async getRow(key: string): Promise<FeatureScorecardRow> {
    const found = await this.findRow(key);
    if (!found) throw new NotFoundError('FeatureScorecard', key);
    return found;
  }

  /**
   * Scorecards by page, newest first unless sorted otherwise.
   *
   * @deprecated Lives on for its data.
   * @throws InvalidPageError
   */
  async page(
    request: PageRequest<'createdAt'> & FeatureScorecardFilter = {},
  ): Promise<Page<FeatureScorecardRow>> {
    const page = checkedPage(request, ['createdAt']);
    const db = await this.rows();
    const list = selected(db, request)
      .orderBy('created_at', page.sortOrder)
      .orderBy('id', page.sortOrder)
      .limit(page.limit)
      .offset(page.offset);
    const counted = scorecards(db, request).select(({ fn }) => fn.countAll().as('total'));
    return readPage(db, counted.compile(), list.compile(), page, toRow);
  }

  /**
   * Scorecards newest first, from a cursor on; of one experiment, if it is given.
   *
   * @deprecated Lives on for its data.
   * @throws InvalidPageError
   */
  async scroll(
    request: CursorRequest & FeatureScorecardFilter = {},
  ): Promise<CursorPage<FeatureScorecardRow>> {
    const { after, first: asked, ...filter } = request;
    const name = `feature_scorecards?${JSON.stringify(filter, Object.keys(filter).toSorted())}`;
    const { from, first } = startOf(name, { after, first: asked });
    let rest = selected(await this.rows(), filter);
    if (from)
      rest = rest.where((eb) => eb(eb.refTuple('created_at', 'id'), '<', eb.tuple(from.at, from.key)));
    const rows = await rest
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(first + 1)
      .execute();
    return toCursorPage(
      name,
      rows,
      first,
      (row) => ({ at: exactInstant(row.created_at_hex), key: row.id }),
      toRow,
    );
  }

  /**
   * How many scorecards there are.
   *
   * @deprecated Lives on for its data.
   */
  async count(filter: FeatureScorecardFilter = {}): Promise<number> {
    const { count } = await scorecards(await this.rows(), filter)
      .select((eb) => eb.cast<number>(eb.fn.countAll(), 'integer').as('count'))
      .executeTakeFirstOrThrow();
    return count;
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
        fields<CursorRequest & FeatureScorecardFilter>({ ...cursorRequest, ...filterFields }),
      ),
    }),
    count: reads({ filter: optional(fields<FeatureScorecardFilter>(filterFields)) }),
  } satisfies Signatures<FeatureScorecardRepository>;
}

function scorecards(db: Kysely<Tables>, { experimentId, deleted }: FeatureScorecardFilter) {
  const all = db.selectFrom('feature_scorecards');
  if (experimentId !== undefined) return all.where('experiment_id', '=', experimentId);
  if (deleted === 'included') return all;
  return all.where((eb) =>
    eb.not(
      eb.exists(
        eb
          .selectFrom('experiments')
          .select('experiments.id')
          .whereRef('experiments.id', '=', 'feature_scorecards.experiment_id')
          .where('experiments.status', '=', 'deleted'),
      ),
    ),
  );
}

function selected(db: Kysely<Tables>, filter: FeatureScorecardFilter) {
  return scorecards(db, filter).select([
    'id',
    'experiment_id',
    'data',
    instantColumn('created_at'),
    nullableInstantColumn('updated_at'),
  ]);
}

type Row = Awaited<ReturnType<ReturnType<typeof selected>['execute']>>[number];

function toRow(row: Row): FeatureScorecardRow {
  return {
    id: row.id,
    experimentId: row.experiment_id,
    data: row.data,
    createdAt: instant(row.created_at_hex),
    updatedAt: instant(row.updated_at_hex),
  };
}
