import type { EntityManager } from '@mikro-orm/postgresql';
import { defaultSynthGroup } from '../entities/synth-group.ts';
import { shapes } from '../entities/load-shapes.ts';
import type { SynthData } from '../entities/shapes.ts';
import { Synth } from '../entities/synth.ts';
import { NotFoundError, TooFewRowsError } from '../errors.ts';
import { checkDocument } from '../json/check-shape.ts';
import { ensureDefaultSynthGroup } from './default-synth-group.ts';
import {
  checkedLimit,
  type CursorPage,
  type CursorRequest,
  type Page,
  type PageRequest,
  type PageTotal,
  type StreamRequest,
} from './read-model/page.ts';
import type { RowStream } from './read-model/row-stream.ts';
import { Repository } from './repository.ts';
import { simulationAttributesOf } from './simulation-attributes.ts';
import { synthFields, type SynthField } from './synth-fields.ts';
import { extremeOutcomes, synthsOfRun, type ExtremeSynths, type SimulatedSynth } from './synth-simulation.ts';
import {
  toFilters,
  synthDetails,
  synthSummaries,
  type GroupOption,
  type SynthCriteria,
  type SynthDetail,
  type SynthFilters,
  type SynthSortKey,
  type SynthSummary,
} from './synth-summary.ts';
import {
  document,
  documentWith,
  fields,
  Instant,
  Key,
  Limit,
  nullable,
  optional,
  pageOf,
  rowMethods,
  cursorOf,
  streamOf,
  Text,
  type FieldChecks,
  reads,
  streams,
  writes,
  synchronous,
  type Signatures,
} from './signatures/index.ts';

export type * from './synth-fields.ts';
export type * from './synth-simulation.ts';
export type * from './synth-summary.ts';

/** A synth to be saved. An absent field has its default in a new synth, and stays as it is in an existing one. Null clears. */
export interface StoredSynth {
  readonly id: string;
  readonly name: string;
  /** Its group; null for none. Default of a new synth: the default group. */
  readonly group?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly linkPhoto?: string | null | undefined;
  readonly avatarPath?: string | null | undefined;
  readonly version?: string | undefined;
  readonly data?: SynthData | null | undefined;
  /** When it was created; default now. That of an existing synth never changes. */
  readonly createdAt?: Date | undefined;
}

const storedFields = [
  'name',
  'synthGroup',
  'description',
  'linkPhoto',
  'avatarPath',
  'version',
  'data',
] as const;

const groupOption: FieldChecks<GroupOption> = { group: optional(nullable(Key)) };
const criteriaFields: FieldChecks<SynthCriteria> = {
  ...groupOption,
  text: optional(Text),
  filters: optional(documentWith<SynthFilters>({})),
};
const scrollRequest = cursorOf(synthSummaries, criteriaFields);
const streamRequest = streamOf(synthSummaries, criteriaFields);

/** Synthetic users. */
export class SynthRepository extends Repository<Synth> {
  constructor(em: EntityManager) {
    super(em, Synth);
  }

  /**
   * Returns every field of a synth.
   *
   * @throws NotFoundError if it does not exist.
   */
  getDetail(key: string): Promise<SynthDetail> {
    return this.read(synthDetails).get(key);
  }

  /**
   * Returns the path of a synth's avatar; null if it has none.
   *
   * @throws NotFoundError if the synth does not exist.
   */
  async getAvatarPath(key: string): Promise<string | null> {
    const db = await this.queryForRead();
    const row = await db.selectFrom('synths').select('avatar_path').where('id', '=', key).executeTakeFirst();
    return this.requireFound(row, key).avatar_path;
  }

  /**
   * Returns an offset page of the synths that meet the criteria, newest first by default (`createdAt`, `name`).
   *
   * @throws InvalidPageError
   */
  pageSummaries<Total extends PageTotal = 'exact'>(
    request: PageRequest<SynthSortKey, Total> & SynthCriteria = {},
  ): Promise<Page<SynthSummary, Total>> {
    return this.read(synthSummaries).page(toFilters(request));
  }

  /**
   * Returns a cursor page of the synths that meet the criteria, sorted as offset pages are. A cursor requires the same criteria.
   *
   * @throws InvalidPageError
   */
  scrollSummaries(
    request: CursorRequest<SynthSortKey> & SynthCriteria = {},
  ): Promise<CursorPage<SynthSummary>> {
    return this.read(synthSummaries).scroll(toFilters(request));
  }

  /**
   * Returns a cursor page of the synths that meet the criteria with all of their fields, sorted as offset pages are. Cursors of
   * `scrollSummaries` continue here, and vice versa.
   *
   * @throws InvalidPageError
   */
  scrollDetails(request: CursorRequest<SynthSortKey> & SynthCriteria = {}): Promise<CursorPage<SynthDetail>> {
    return this.read(synthDetails).scroll(toFilters(request));
  }

  /**
   * Returns a stream of all synths that meet the criteria, sorted as offset pages are.
   *
   * @throws InvalidPageError
   */
  streamSummaries(request: StreamRequest<SynthSortKey> & SynthCriteria = {}): RowStream<SynthSummary> {
    return this.read(synthSummaries).stream(toFilters(request));
  }

  /**
   * Returns a stream of all synths that meet the criteria with all of their fields, sorted as offset pages are.
   *
   * @throws InvalidPageError
   */
  streamDetails(request: StreamRequest<SynthSortKey> & SynthCriteria = {}): RowStream<SynthDetail> {
    return this.read(synthDetails).stream(toFilters(request));
  }

  /** Returns the number of synths that meet the criteria. */
  count(criteria: SynthCriteria = {}): Promise<number> {
    return this.read(synthSummaries).count(toFilters(criteria));
  }

  /** Returns the fields of a synth, with the parts of its data that `filters` of `pageSummaries` accepts. */
  listFields(): readonly SynthField[] {
    return synthFields();
  }

  /**
   * Returns the synths with the highest and the lowest success rates in the completed run of an experiment, deleted or not: `count` of each
   * (1 to 200, default 5). Of equal rates, the smaller key ranks higher. No synth is in both.
   *
   * @throws NotFoundError if the experiment has no completed run; TooFewRowsError if it has fewer outcomes than twice `count`;
   * InvalidPageError when `count` is out of range.
   */
  async getExtremeCases(experiment: string, count = 5): Promise<ExtremeSynths> {
    const each = checkedLimit(count);
    const rows = await extremeOutcomes(await this.queryForRead(), experiment, each).execute();
    const [first] = rows;
    if (!first) throw noCompletedRun(experiment);
    const found = first.total ?? 0;
    if (found < 2 * each) throw new TooFewRowsError('SynthOutcome', { needed: 2 * each, found });
    const synths = rows.flatMap(({ synth_id }) => synth_id ?? []);
    return { top: synths.slice(0, each), bottom: synths.slice(-each).toReversed() };
  }

  /**
   * Returns the synths of the completed run of an experiment, deleted or not, with their attributes for a simulation, ordered by key. `limit`
   * is 1 to 200; absent, all are returned: a run has 10,000 synths at most. Synths without data are omitted.
   *
   * @throws NotFoundError if the experiment has no completed run; InvalidPageError when `limit` is out of range.
   */
  async listForSimulation(experiment: string, limit?: number): Promise<readonly SimulatedSynth[]> {
    const rows = await synthsOfRun(await this.queryForRead(), experiment, limit).execute();
    if (rows.length === 0) throw noCompletedRun(experiment);
    return rows.flatMap(({ id, data }) =>
      id === null || data === null ? [] : [{ id, simulationAttributes: simulationAttributesOf(data) }],
    );
  }

  /**
   * Inserts or updates a synth, by one statement. In an existing synth absent fields stay as they are, null clears, and `createdAt` never
   * changes. A new synth without a group belongs to the default group, which is inserted if it is missing.
   *
   * @throws InvalidJsonError when the data have the wrong shape; DanglingReferenceError if the group does not exist.
   */
  async saveSynth(synth: StoredSynth): Promise<void> {
    const { id, name, createdAt, group, description, linkPhoto, avatarPath, version, data } = synth;
    if (data != null) checkDocument('synths.data', shapes().SynthData, data);
    const db = await this.queryForWrite();
    if (group === undefined) await ensureDefaultSynthGroup(db);
    const given = {
      name,
      ...(group !== undefined && { synthGroup: group }),
      ...(description !== undefined && { description }),
      ...(linkPhoto !== undefined && { linkPhoto }),
      ...(avatarPath !== undefined && { avatarPath }),
      ...(version !== undefined && { version }),
      ...(data !== undefined && { data }),
    };
    await this.em
      .createQueryBuilder(Synth)
      .insert({ id, createdAt: createdAt ?? new Date(), synthGroup: defaultSynthGroup.id, ...given })
      .onConflict('id')
      .merge(storedFields.filter((field) => field in given))
      .execute();
    await this.reload(id);
  }

  /**
   * Updates the path of a synth's avatar, or clears it with null, by one statement.
   *
   * @throws NotFoundError if the synth does not exist.
   */
  async saveAvatarPath(key: string, path: string | null): Promise<void> {
    await this.updateRow(key, { id: key }, { avatarPath: path });
  }

  static readonly signatures = {
    ...rowMethods(Synth),
    getDetail: reads({ key: Key }),
    getAvatarPath: reads({ key: Key }),
    pageSummaries: reads({
      request: pageOf(synthSummaries, criteriaFields),
    }),
    scrollSummaries: reads({ request: scrollRequest }),
    scrollDetails: reads({ request: scrollRequest }),
    streamSummaries: streams({ request: streamRequest }),
    streamDetails: streams({ request: streamRequest }),
    count: reads({ criteria: optional(fields<SynthCriteria>(criteriaFields)) }),
    listFields: synchronous(reads()),
    getExtremeCases: reads({ experiment: Key }, { count: optional(Limit) }),
    listForSimulation: reads({ experiment: Key }, { limit: optional(Limit) }),
    saveSynth: writes({
      synth: fields<StoredSynth>({
        id: Key,
        name: Text,
        ...groupOption,
        description: optional(nullable(Text)),
        linkPhoto: optional(nullable(Text)),
        avatarPath: optional(nullable(Text)),
        version: optional(Text),
        data: optional(nullable(document<SynthData>())),
        createdAt: optional(Instant),
      }),
    }),
    saveAvatarPath: writes({ key: Key }, { path: nullable(Text) }),
  } satisfies Signatures<SynthRepository>;
}

function noCompletedRun(experiment: string): NotFoundError {
  return new NotFoundError('AnalysisRun', { experiment, status: 'completed' });
}
