import type { EntityManager } from '@mikro-orm/postgresql';
import { CompiledQuery } from 'kysely';
import { defaultSynthGroup, SynthGroup } from '../entities/synth-group.ts';
import { ProtectedRowError } from '../errors.ts';
import { ensureDefaultSynthGroup } from './default-synth-group.ts';
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
  groupSummaries,
  type GroupSortKey,
  type SynthGroupDetail,
  type SynthGroupSummary,
} from './synth-group-summary.ts';
import { synthSummaries, type SynthSortKey } from './synth-summary.ts';
import {
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
  locks,
  writes,
  type Signatures,
} from './signatures/index.ts';

export type * from './synth-group-summary.ts';

/** Named sets of synths. New synths without a group belong to the default group. */
export class SynthGroupRepository extends Repository<SynthGroup> {
  constructor(em: EntityManager) {
    super(em, SynthGroup);
  }

  /** Returns a group with the number of its synths; null if none exists. */
  findSummary(key: string): Promise<SynthGroupSummary | null> {
    return this.read(groupSummaries).find(key);
  }

  /**
   * Returns a group with a cursor page of its synths, newest first by default; null if none exists. Its cursors continue in
   * `SynthRepository.scrollSummaries` with this group, and vice versa.
   *
   * @throws InvalidPageError
   */
  async findDetail(key: string, request: CursorRequest<SynthSortKey> = {}): Promise<SynthGroupDetail | null> {
    const found = await this.read(synthSummaries).scrollWith(groupSummaries, key, { ...request, group: key });
    if (!found) return null;
    const [group, synths] = found;
    return { ...group, synths };
  }

  /**
   * Returns an offset page of groups with the number of synths of each, newest first by default (`createdAt`, `name`).
   *
   * @throws InvalidPageError
   */
  pageSummaries<Total extends PageTotal = 'exact'>(
    request: PageRequest<GroupSortKey, Total> = {},
  ): Promise<Page<SynthGroupSummary, Total>> {
    return this.read(groupSummaries).page(request);
  }

  /**
   * Returns a cursor page of groups with the number of synths of each, sorted as offset pages are.
   *
   * @throws InvalidPageError
   */
  scrollSummaries(request: CursorRequest<GroupSortKey> = {}): Promise<CursorPage<SynthGroupSummary>> {
    return this.read(groupSummaries).scroll(request);
  }

  /**
   * Returns a stream of all groups with the number of synths of each, sorted as offset pages are.
   *
   * @throws InvalidPageError
   */
  streamSummaries(request: StreamRequest<GroupSortKey> = {}): RowStream<SynthGroupSummary> {
    return this.read(groupSummaries).stream(request);
  }

  /** Returns the default group, to be modified, inserted if it is missing; safe under concurrency. */
  async ensureDefault(): Promise<SynthGroup> {
    await ensureDefaultSynthGroup(await this.queryForWrite());
    return this.get(defaultSynthGroup.id);
  }

  /**
   * Returns the oldest group with exactly this name, to be modified; stages one if none exists. Concurrent calls with the same name wait for
   * each other's transactions, so that at `read committed` one group is created.
   */
  async ensureNamed(name: string, description: string | null = null): Promise<SynthGroup> {
    this.requireTransaction();
    // Names are not unique, so that no constraint prevents a second group: concurrent calls with the same name wait for this lock.
    await this.em
      .getKysely()
      .executeQuery(
        CompiledQuery.raw('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
          `synth_groups.name:${name}`,
        ]),
      );
    const known = await this.findOne({ name }, { orderBy: { createdAt: 'asc', id: 'asc' } });
    return known ?? this.add({ name, description });
  }

  /**
   * Stages the removal of a group. Its synths stay, without a group.
   *
   * @throws ProtectedRowError for the default group.
   */
  override remove(group: SynthGroup): void {
    if (group.id === defaultSynthGroup.id) throw new ProtectedRowError(SynthGroup.name, group.id);
    super.remove(group);
  }

  static readonly signatures = {
    ...rowMethods(SynthGroup),
    findSummary: reads({ key: Key }),
    findDetail: reads({ key: Key }, { request: cursorOf(synthSummaries) }),
    pageSummaries: reads({
      request: pageOf(groupSummaries),
    }),
    scrollSummaries: reads({
      request: cursorOf(groupSummaries),
    }),
    streamSummaries: streams({ request: streamOf(groupSummaries) }),
    ensureDefault: writes(),
    ensureNamed: locks({ name: Text }, { description: optional(nullable(Text)) }),
  } satisfies Signatures<SynthGroupRepository>;
}
