import type { EntityManager } from '@mikro-orm/postgresql';
import { defaultSynthGroup } from '../entities/synth-group.ts';
import { Synth, SynthData } from '../entities/synth.ts';
import { NotFoundError, TooFewRowsError } from '../errors.ts';
import { checkDocument } from '../json/check-shape.ts';
import { ensureDefaultSynthGroup } from './default-synth-group.ts';
import {
  checkedLimit,
  checkedPage,
  type Page,
  type PageRequest,
  type CursorPage,
  type CursorRequest,
} from './page.ts';
import { readPage, startOf, toCursorPage } from './read-page.ts';
import { Repository } from './repository.ts';
import { simulationAttributesOf } from './simulation-attributes.ts';
import { synthFields, type SynthField } from './synth-fields.ts';
import { extremeOutcomes, synthsOfRun, type ExtremeCases, type SimulatedSynth } from './synth-simulation.ts';
import {
  details,
  listOf,
  newest,
  positionOf,
  summaries,
  synthsThat,
  toDetail,
  toSummary,
  total,
  type GroupOption,
  type SynthCriteria,
  type SynthDetail,
  type SynthFilters,
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

type SortKey = 'createdAt' | 'name';
const sortKeys = ['createdAt', 'name'] as const;
const sortColumns = { createdAt: 'created_at', name: 'nome' } as const;

const groupOption: FieldChecks<GroupOption> = { group: optional(nullable(Key)) };
const criteriaFields: FieldChecks<SynthCriteria> = {
  ...groupOption,
  text: optional(Text),
  filters: optional(documentWith<SynthFilters>({})),
};
const paged = pageRequest<SortKey>(sortKeys);

/** Synthetic users. */
export class SynthRepository extends Repository<Synth> {
  constructor(em: EntityManager) {
    super(em, Synth);
  }

  /**
   * All that is known of a synth.
   *
   * @throws NotFoundError when there is none.
   */
  async getDetail(key: string): Promise<SynthDetail> {
    const synths = synthsThat(await this.rows(), {});
    return toDetail(this.must(await details(synths).where('id', '=', key).executeTakeFirst(), key));
  }

  /**
   * Where the picture of a synth is; null when it has none of its own.
   *
   * @throws NotFoundError when there is no such synth.
   */
  async getAvatarPath(key: string): Promise<string | null> {
    const synths = synthsThat(await this.rows(), {});
    const row = await synths.select('avatar_path').where('id', '=', key).executeTakeFirst();
    return this.must(row, key).avatar_path;
  }

  /**
   * Summaries by page of the synths that meet the criteria, newest first unless sorted otherwise (`createdAt`, `name`).
   *
   * @throws InvalidPageError
   */
  async pageSummaries(request: PageRequest<SortKey> & SynthCriteria = {}): Promise<Page<SynthSummary>> {
    const page = checkedPage(request, sortKeys);
    const db = await this.rows();
    const synths = synthsThat(db, request);
    const list = summaries(synths)
      .orderBy(sortColumns[page.sortBy], page.sortOrder)
      .orderBy('id', page.sortOrder)
      .limit(page.limit)
      .offset(page.offset);
    return readPage(db, total(synths).compile(), list.compile(), page, toSummary);
  }

  /**
   * Summaries of the synths that meet the criteria, newest first, from a cursor on. A cursor goes on with the same criteria only.
   *
   * @throws InvalidPageError
   */
  async scrollSummaries(request: CursorRequest & SynthCriteria = {}): Promise<CursorPage<SynthSummary>> {
    const { group, text, filters } = request;
    const narrowed = text !== undefined || filters !== undefined;
    const list = narrowed ? `synths?${JSON.stringify({ group, text, filters })}` : listOf(group);
    const { from, first } = startOf(list, request);
    const synths = synthsThat(await this.rows(), request);
    const rows = await summaries(newest(synths, from, first + 1)).execute();
    return toCursorPage(list, rows, first, positionOf, toSummary);
  }

  /**
   * All that is known of synths, newest first, from a cursor on; of one group, if it is given. A cursor of `scrollSummaries` goes on
   * here, and the other way round.
   *
   * @throws InvalidPageError
   */
  async scrollDetails(request: CursorRequest & GroupOption = {}): Promise<CursorPage<SynthDetail>> {
    const list = listOf(request.group);
    const { from, first } = startOf(list, request);
    const synths = synthsThat(await this.rows(), { group: request.group });
    const rows = await details(newest(synths, from, first + 1)).execute();
    return toCursorPage(list, rows, first, positionOf, toDetail);
  }

  /** How many synths there are; in one group, if it is given. */
  async count(option: GroupOption = {}): Promise<number> {
    const { total: count } = await total(synthsThat(await this.rows(), option)).executeTakeFirstOrThrow();
    return Number(count);
  }

  /** What is known of a synth, and by which parts of its data `search` filters. */
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
  async getExtremeCases(experiment: string, count = 5): Promise<ExtremeCases> {
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
   * most `limit` (1 to 200, default 200). Synths without data are left out.
   *
   * @throws NotFoundError when the experiment has no completed run; InvalidPageError on a limit out of bounds.
   */
  async listForSimulation(experiment: string, limit = 200): Promise<readonly SimulatedSynth[]> {
    const rows = await synthsOfRun(await this.rows(), experiment, checkedLimit(limit)).execute();
    if (rows.length === 0) throw noCompletedRun(experiment);
    return rows.flatMap(({ id, data }) =>
      id === null || data === null ? [] : [{ id, simulationAttributes: simulationAttributesOf(data) }],
    );
  }

  /**
   * Stores a synth under its key, known or new, by one statement. In a known synth what is absent stays as it is, null clears, and
   * `createdAt` never changes. A new synth of which no group is said is put into the default group, made first if it is not there.
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
  async saveAvatarPath(key: string, path: string | null): Promise<void> {
    await this.change(key, { id: key }, { avatarPath: path });
  }

  static readonly signatures = {
    ...rowMethods(Synth),
    getDetail: reads({ key: Key }),
    getAvatarPath: reads({ key: Key }),
    pageSummaries: reads({
      request: optional(fields<PageRequest<SortKey> & SynthCriteria>({ ...paged, ...criteriaFields })),
    }),
    scrollSummaries: reads({
      request: optional(fields<CursorRequest & SynthCriteria>({ ...cursorRequest, ...criteriaFields })),
    }),
    scrollDetails: reads({
      request: optional(fields<CursorRequest & GroupOption>({ ...cursorRequest, ...groupOption })),
    }),
    count: reads({ option: optional(fields<GroupOption>(groupOption)) }),
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
