import type { CursorPage } from './read-model/page.ts';
import { countOf } from './read-model/lookups.ts';
import { readModel, type ShownBy, type SortKeyOf } from './read-model/read-model.ts';
import type { SynthSummary } from './synth-summary.ts';

export const groupSummaries = readModel({
  from: 'synth_groups',
  select: {
    id: 'id',
    name: 'name',
    description: 'description',
    synthCount: (eb) => countOf(eb.selectFrom('synths').whereRef('synth_group_id', '=', 'synth_groups.id')),
    createdAt: 'created_at',
  },
  sorts: { createdAt: 'created_at', name: 'name' },
});

export type GroupSortKey = SortKeyOf<typeof groupSummaries>;

/** A group in lists, with the number of its synths. */
export type SynthGroupSummary = ShownBy<typeof groupSummaries>;

/** A group and a cursor page of its synths. `synths.pagination.endCursor` continues in `SynthRepository.scrollSummaries` with this group. */
export interface SynthGroupDetail extends SynthGroupSummary {
  readonly synths: CursorPage<SynthSummary>;
}
