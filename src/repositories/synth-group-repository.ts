import type { EntityManager } from '@mikro-orm/postgresql';
import { defaultSynthGroup, SynthGroup } from '../entities/synth-group.ts';
import { ProtectedRowError } from '../errors.ts';
import { ensureDefaultSynthGroup } from './default-synth-group.ts';
import type { CursorPage, CursorRequest, Page, PageRequest } from './read-model/page.ts';
import { Repository } from './repository.ts';
import {
  groupSummaries,
  type GroupSortKey,
  type SynthGroupDetail,
  type SynthGroupSummary,
} from './synth-group-summary.ts';
import { synthSummaries, type SynthSortKey } from './synth-summary.ts';
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

/** Named sets of synths. One of them, the default group, takes the synths that are given none. */
export class SynthGroupRepository extends Repository<SynthGroup> {
  constructor(em: EntityManager) {
    super(em, SynthGroup);
  }

  /** A group with how many synths it has; null if none exists. */
  findSummary(key: string): Promise<SynthGroupSummary | null> {
    return this.ask(groupSummaries).find(key);
  }

  /**
   * A group with a cursor page of its synths, newest first by default; null if none exists. The cursors are those of
   * `SynthRepository.scrollSummaries` of the group.
   *
   * @throws InvalidPageError
   */
  async findDetail(key: string, request: CursorRequest<SynthSortKey> = {}): Promise<SynthGroupDetail | null> {
    const found = await this.ask(synthSummaries).scrollWith(groupSummaries, key, { ...request, group: key });
    if (!found) return null;
    const [group, synths] = found;
    return { ...group, synths };
  }

  /**
   * Groups by page with how many synths each has, newest first by default (`createdAt`, `name`).
   *
   * @throws InvalidPageError
   */
  pageSummaries(request: PageRequest<GroupSortKey> = {}): Promise<Page<SynthGroupSummary>> {
    return this.ask(groupSummaries).page(request);
  }

  /**
   * Groups by cursor page with how many synths each has, sorted as pages are.
   *
   * @throws InvalidPageError
   */
  scrollSummaries(request: CursorRequest<GroupSortKey> = {}): Promise<CursorPage<SynthGroupSummary>> {
    return this.ask(groupSummaries).scroll(request);
  }

  /** The default group, made if it was not there yet; one is made however many ask at once. */
  async ensureDefault(): Promise<SynthGroup> {
    await ensureDefaultSynthGroup(await this.writing());
    return this.get(defaultSynthGroup.id);
  }

  /**
   * The oldest group of this name, staged if none exists; one is made however many ask at once at `read committed`, each of whom
   * waits for the transactions of those before. Names are compared to the letter.
   */
  async ensureNamed(name: string, description: string | null = null): Promise<SynthGroup> {
    this.mustBeInTransaction();
    // Names are not unique, so no constraint decides: concurrent calls with the same name wait here, and then see the group.
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
    findDetail: reads(
      { key: Key },
      { request: optional(fields<CursorRequest<SynthSortKey>>(cursorRequest(synthSummaries.sortKeys))) },
    ),
    pageSummaries: reads({
      request: optional(fields<PageRequest<GroupSortKey>>(pageRequest(groupSummaries.sortKeys))),
    }),
    scrollSummaries: reads({
      request: optional(fields<CursorRequest<GroupSortKey>>(cursorRequest(groupSummaries.sortKeys))),
    }),
    ensureDefault: writes(),
    ensureNamed: locks({ name: Text }, { description: optional(nullable(Text)) }),
  } satisfies Signatures<SynthGroupRepository>;
}
