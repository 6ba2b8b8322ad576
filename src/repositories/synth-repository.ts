import type { EntityManager } from '@mikro-orm/postgresql';
import { defaultSynthGroup } from '../entities/synth-group.ts';
import { Synth, SynthData } from '../entities/synth.ts';
import { NotFoundError, TooFewRowsError } from '../errors.ts';
import { checkDocument } from '../json/check-shape.ts';
import { ensureDefaultSynthGroup } from './default-synth-group.ts';
import {
  checkedLimit,
  type CursorPage,
  type CursorRequest,
  type Page,
  type PageRequest,
} from './read-model/page.ts';
import { Repository } from './repository.ts';
import { simulationAttributesOf } from './simulation-attributes.ts';
import { synthFields, type SynthField } from './synth-fields.ts';
import { extremeOutcomes, synthsOfRun, type ExtremeSynths, type SimulatedSynth } from './synth-simulation.ts';
import {
  narrowed,
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
  pageRequest,
  rowMethods,
  cursorRequest,
  Text,
  type FieldChecks,
  reads,
  writes,
  synchronous,
  type Signatures,
} from './signatures/index.ts';

/** A synth to be stored whole. Where a field is absent, a new synth gets its default and a known one keeps what it has. */
export interface StoredSynth {
  readonly id: string;
  readonly name: string;
  /** Its group; none with null. A new synth without is put into the default group. */
  readonly group?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly linkPhoto?: string | null | undefined;
  readonly avatarPath?: string | null | undefined;
  readonly version?: string | undefined;
  readonly data?: SynthData | null | undefined;
  /** When it was made, if that was not now. A known synth keeps its own. */
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
const scrollRequest = optional(
  fields<CursorRequest<SynthSortKey> & SynthCriteria>({
    ...cursorRequest(synthSummaries.sortKeys),
    ...criteriaFields,
  }),
);

/** Synthetic users. */
export class SynthRepository extends Repository<Synth> {
  constructor(em: EntityManager) {
    super(em, Synth);
  }

  /**
   * All that is known of a synth.
   *
   * @throws NotFoundError if it does not exist.
   */
  getDetail(key: string): Promise<SynthDetail> {
    return this.ask(synthDetails).get(key);
  }

  /**
   * Where the picture of a synth is; null if it has none.
   *
   * @throws NotFoundError when there is no such synth.
   */
  async getAvatarPath(key: string): Promise<string | null> {
    const db = await this.rows();
    const row = await db.selectFrom('synths').select('avatar_path').where('id', '=', key).executeTakeFirst();
    return this.must(row, key).avatar_path;
  }

  /**
   * Summaries by page of the synths that meet the criteria, newest first by default (`createdAt`, `name`).
   *
   * @throws InvalidPageError
   */
  pageSummaries(request: PageRequest<SynthSortKey> & SynthCriteria = {}): Promise<Page<SynthSummary>> {
    return this.ask(synthSummaries).page(narrowed(request));
  }

  /**
   * Summaries by cursor page of the synths that meet the criteria, sorted as pages are. A cursor continues with the same criteria only.
   *
   * @throws InvalidPageError
   */
  scrollSummaries(
    request: CursorRequest<SynthSortKey> & SynthCriteria = {},
  ): Promise<CursorPage<SynthSummary>> {
    return this.ask(synthSummaries).scroll(narrowed(request));
  }

  /**
   * All that is known of the synths that meet the criteria, by cursor page, sorted as pages are. Cursors of `scrollSummaries` continue
   * here, and the other way round.
   *
   * @throws InvalidPageError
   */
  scrollDetails(request: CursorRequest<SynthSortKey> & SynthCriteria = {}): Promise<CursorPage<SynthDetail>> {
    return this.ask(synthDetails).scroll(narrowed(request));
  }

  /** How many synths meet the criteria. */
  count(criteria: SynthCriteria = {}): Promise<number> {
    return this.ask(synthSummaries).count(narrowed(criteria));
  }

  /** What is known of a synth, and by which parts of its data `filters` of `pageSummaries` can filter. */
  listFields(): readonly SynthField[] {
    return synthFields;
  }

  /**
   * The synths that succeeded most and least in the completed run of the experiment, deleted or not, `count` of each (1 to 200,
   * default 5); of those with equal rates, the smaller key counts as the better. No synth is in both.
   *
   * @throws NotFoundError when the experiment has no completed run; TooFewRowsError when it has fewer outcomes than twice `count`;
   * InvalidPageError on a count out of bounds.
   */
  async getExtremeCases(experiment: string, count = 5): Promise<ExtremeSynths> {
    const each = checkedLimit(count);
    const rows = await extremeOutcomes(await this.rows(), experiment, each).execute();
    const [first] = rows;
    if (!first) throw noCompletedRun(experiment);
    const found = first.total ?? 0;
    if (found < 2 * each) throw new TooFewRowsError('SynthOutcome', { needed: 2 * each, found });
    const synths = rows.flatMap(({ synth_id }) => synth_id ?? []);
    return { top: synths.slice(0, each), bottom: synths.slice(-each).toReversed() };
  }

  /**
   * The synths that took part in the completed run of the experiment, deleted or not, as a simulation knows them, ordered by key, at
   * most `limit` (1 to 200), or all: a run has 10,000 synths at most. Synths without data are left out.
   *
   * @throws NotFoundError when the experiment has no completed run; InvalidPageError on a limit out of bounds.
   */
  async listForSimulation(experiment: string, limit?: number): Promise<readonly SimulatedSynth[]> {
    const rows = await synthsOfRun(await this.rows(), experiment, limit).execute();
    if (rows.length === 0) throw noCompletedRun(experiment);
    return rows.flatMap(({ id, data }) =>
      id === null || data === null ? [] : [{ id, simulationAttributes: simulationAttributesOf(data) }],
    );
  }

  /**
   * Stores a synth under its key, known or new, by one statement. In a known synth what is absent stays as it is, null clears, and
   * `createdAt` never changes. A new synth without a group is put into the default group, made first if it is not there.
   *
   * @throws InvalidJsonError; DanglingReferenceError when the group does not exist.
   */
  async saveSynth({ id, createdAt, group, ...rest }: StoredSynth): Promise<void> {
    const { description, linkPhoto, avatarPath, version, data } = rest;
    if (data != null) checkDocument('synths.data', SynthData, data);
    const db = await this.writing();
    if (group === undefined) await ensureDefaultSynthGroup(db);
    const given = {
      name: rest.name,
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
   * Notes where the picture of a synth is, or with null that it has none, by one statement.
   *
   * @throws NotFoundError when there is no such synth.
   */
  async updateAvatarPath(key: string, path: string | null): Promise<void> {
    await this.change(key, { id: key }, { avatarPath: path });
  }

  static readonly signatures = {
    ...rowMethods(Synth),
    getDetail: reads({ key: Key }),
    getAvatarPath: reads({ key: Key }),
    pageSummaries: reads({
      request: optional(
        fields<PageRequest<SynthSortKey> & SynthCriteria>({
          ...pageRequest(synthSummaries.sortKeys),
          ...criteriaFields,
        }),
      ),
    }),
    scrollSummaries: reads({ request: scrollRequest }),
    scrollDetails: reads({ request: scrollRequest }),
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
    updateAvatarPath: writes({ key: Key }, { path: nullable(Text) }),
  } satisfies Signatures<SynthRepository>;
}

function noCompletedRun(experiment: string): NotFoundError {
  return new NotFoundError('AnalysisRun', { experiment, status: 'completed' });
}
