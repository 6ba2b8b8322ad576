import type { EntityManager } from '@mikro-orm/postgresql';
import { defaultSynthGroup, SynthGroup } from '../entities/synth-group.ts';
import { ProtectedRowError } from '../errors.ts';
import { ensureDefaultSynthGroup } from './default-synth-group.ts';
import { exactInstant } from './exact-columns.ts';
import { checkedPage, type Page, type PageRequest, type Stretch, type StretchRequest } from './page.ts';
import { readPage, stretchOf, toStretch } from './read-page.ts';
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
  checkArguments,
  fields,
  Key,
  nullable,
  optional,
  pageRequest,
  rowMethods,
  stretchRequest,
  Text,
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
   * `SynthRepository.listSummaries` of the group.
   *
   * @throws InvalidPageError
   */
  async findDetail(key: string, request: StretchRequest = {}): Promise<SynthGroupDetail | null> {
    const list = listOf(key);
    const { from, limit } = stretchOf(list, request);
    const rows = await groupWithSynths(await this.rows(), key, from, limit + 1).execute();
    const [first] = rows;
    if (!first) return null;
    const synths = toStretch(list, rows.filter(hasSynth), limit, positionOf, toSummary);
    return { ...toGroupSummary(first), synths };
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
  async listSummaries(request: StretchRequest = {}): Promise<Stretch<SynthGroupSummary>> {
    const { from, limit } = stretchOf('synth_groups', request);
    let groups = groupSummaries(await this.rows())
      .orderBy('synth_groups.created_at', 'desc')
      .orderBy('synth_groups.id', 'desc')
      .limit(limit + 1);
    if (from) {
      groups = groups.where((eb) =>
        eb(eb.refTuple('synth_groups.created_at', 'synth_groups.id'), '<', eb.tuple(from.at, from.key)),
      );
    }
    const rows = await groups.execute();
    return toStretch(
      'synth_groups',
      rows,
      limit,
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
}

checkArguments(SynthGroupRepository, {
  ...rowMethods(SynthGroup),
  findSummary: [{ key: Key }],
  findDetail: [{ key: Key }, { request: optional(fields<StretchRequest>(stretchRequest)) }],
  pageSummaries: [
    { request: optional(fields<PageRequest<(typeof sortKeys)[number]>>(pageRequest(sortKeys))) },
  ],
  listSummaries: [{ request: optional(fields<StretchRequest>(stretchRequest)) }],
  ensureDefault: [],
  ensureNamed: [{ name: Text }, { description: optional(nullable(Text)) }],
});
