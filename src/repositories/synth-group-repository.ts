import type { EntityManager } from '@mikro-orm/postgresql';
import { defaultSynthGroup, SynthGroup } from '../entities/synth-group.ts';
import { ProtectedRowError } from '../errors.ts';
import { ensureDefaultSynthGroup } from './default-synth-group.ts';
import { exactInstant } from './exact-columns.ts';
import { checkedPage, type Page, type PageRequest, type CursorPage, type CursorRequest } from './page.ts';
import { readPage, startOf, toCursorPage } from './read-page.ts';
import { Repository } from './repository.ts';
import {
  groupSummaries,
  groupWithSynths,
  hasSynth,
  toGroupSummary,
  type SynthGroupDetail,
  type SynthGroupSummary,
} from './synth-group-summary.ts';
import { listOf, positionOf, toSummary } from './synth-summary.ts';
import {
  fields,
  Key,
  nullable,
  optional,
  pageRequest,
  rowMethods,
  cursorRequest,
  Text,
  reads,
  locks,
  writes,
  type Signatures,
} from './signatures/index.ts';

const sortKeys = ['createdAt', 'name'] as const;
const sortColumns = { createdAt: 'synth_groups.created_at', name: 'synth_groups.name' } as const;

/** Named sets of synths. One of them, the default group, takes the synths that are given none. */
export class SynthGroupRepository extends Repository<SynthGroup> {
  constructor(em: EntityManager) {
    super(em, SynthGroup);
  }

  /** A group with how many synths it has; null when there is none. */
  async findSummary(key: string): Promise<SynthGroupSummary | null> {
    const groups = groupSummaries(await this.rows());
    const row = await groups.where('synth_groups.id', '=', key).executeTakeFirst();
    return row ? toGroupSummary(row) : null;
  }

  /**
   * A group with its synths, newest first, from a cursor on; null when there is none. The cursors are those of
   * `SynthRepository.scrollSummaries` of the group.
   *
   * @throws InvalidPageError
   */
  async findDetail(key: string, request: CursorRequest = {}): Promise<SynthGroupDetail | null> {
    const list = listOf(key);
    const { from, first } = startOf(list, request);
    const rows = await groupWithSynths(await this.rows(), key, from, first + 1).execute();
    const [group] = rows;
    if (!group) return null;
    const synths = toCursorPage(list, rows.filter(hasSynth), first, positionOf, toSummary);
    return { ...toGroupSummary(group), synths };
  }

  /**
   * Groups by page with how many synths each has, newest first unless sorted otherwise (`createdAt`, `name`).
   *
   * @throws InvalidPageError
   */
  async pageSummaries(
    request: PageRequest<(typeof sortKeys)[number]> = {},
  ): Promise<Page<SynthGroupSummary>> {
    const page = checkedPage(request, sortKeys);
    const db = await this.rows();
    const counted = db.selectFrom('synth_groups').select(({ fn }) => fn.countAll().as('total'));
    const list = groupSummaries(db)
      .orderBy(sortColumns[page.sortBy], page.sortOrder)
      .orderBy('synth_groups.id', page.sortOrder)
      .limit(page.limit)
      .offset(page.offset);
    return readPage(db, counted.compile(), list.compile(), page, toGroupSummary);
  }

  /**
   * Groups newest first with how many synths each has, from a cursor on.
   *
   * @throws InvalidPageError
   */
  async scrollSummaries(request: CursorRequest = {}): Promise<CursorPage<SynthGroupSummary>> {
    const { from, first } = startOf('synth_groups', request);
    let groups = groupSummaries(await this.rows())
      .orderBy('synth_groups.created_at', 'desc')
      .orderBy('synth_groups.id', 'desc')
      .limit(first + 1);
    if (from) {
      groups = groups.where((eb) =>
        eb(eb.refTuple('synth_groups.created_at', 'synth_groups.id'), '<', eb.tuple(from.at, from.key)),
      );
    }
    const rows = await groups.execute();
    return toCursorPage(
      'synth_groups',
      rows,
      first,
      (row) => ({ at: exactInstant(row.group_created_at_hex), key: row.group_id }),
      toGroupSummary,
    );
  }

  /** The default group, made if it was not there yet; one is made however many ask at once. */
  async ensureDefault(): Promise<SynthGroup> {
    await ensureDefaultSynthGroup(await this.writing());
    return this.get(defaultSynthGroup.id);
  }

  /**
   * The oldest group of this name, staged if there is none; one is made however many ask at once at `read committed`, each of whom
   * waits for the transactions of those before. Names are compared to the letter.
   */
  async ensureNamed(name: string, description: string | null = null): Promise<SynthGroup> {
    this.mustBeInTransaction();
    // Names are not unique, so no constraint can tell: whoever asks for the same name waits here, and then sees the group.
    await this.em.execute('select pg_advisory_xact_lock(hashtextextended(?, 0))', [
      `synth_groups.name:${name}`,
    ]);
    const known = await this.one({ name }, { orderBy: { createdAt: 'asc', id: 'asc' } });
    return known ?? this.add({ name, description });
  }

  /**
   * Stages the group's removal. Its synths stay, without a group.
   *
   * @throws ProtectedRowError when it is the default group.
   */
  override remove(group: SynthGroup): void {
    if (group.id === defaultSynthGroup.id) throw new ProtectedRowError(SynthGroup.name, group.id);
    super.remove(group);
  }

  static readonly signatures = {
    ...rowMethods(SynthGroup),
    findSummary: reads({ key: Key }),
    findDetail: reads({ key: Key }, { request: optional(fields<CursorRequest>(cursorRequest)) }),
    pageSummaries: reads({
      request: optional(fields<PageRequest<(typeof sortKeys)[number]>>(pageRequest(sortKeys))),
    }),
    scrollSummaries: reads({ request: optional(fields<CursorRequest>(cursorRequest)) }),
    ensureDefault: writes(),
    ensureNamed: locks({ name: Text }, { description: optional(nullable(Text)) }),
  } satisfies Signatures<SynthGroupRepository>;
}
