import type { Kysely } from '@mikro-orm/postgresql';
import type { Tables } from '../entities/tables.ts';
import { instant, instantColumn } from './exact-columns.ts';
import type { CursorPage } from './page.ts';
import type { Position } from './cursor.ts';
import { synthColumns, type SynthRow, type SynthSummary } from './synth-summary.ts';

/** A group as lists show it, with how many synths it has. */
export interface SynthGroupSummary {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly synthCount: number;
  readonly createdAt: Date;
}

/** A group and the first of its synths, newest first. `synths.endCursor` continues in `SynthRepository.scrollSummaries` of the group. */
export interface SynthGroupDetail extends SynthGroupSummary {
  readonly synths: CursorPage<SynthSummary>;
}

export function groupSummaries(db: Kysely<Tables>) {
  return db.selectFrom('synth_groups').select((eb) => [
    'synth_groups.id as group_id',
    'synth_groups.name as group_name',
    'synth_groups.description as group_description',
    instantColumn('synth_groups.created_at', 'group_created_at_hex'),
    eb
      .selectFrom('synths')
      .select((count) => count.cast<number>(count.fn.countAll(), 'integer').as('count'))
      .whereRef('synth_group_id', '=', 'synth_groups.id')
      .as('synth_count'),
  ]);
}

/** A row for each of the group's synths after `from`, `limit` at most; one row without a synth when there are none. */
export function groupWithSynths(db: Kysely<Tables>, key: string, from: Position | null, limit: number) {
  return groupSummaries(db)
    .leftJoinLateral(
      (eb) => {
        const synths = eb
          .selectFrom('synths')
          .select([...synthColumns, 'synths.created_at'])
          .whereRef('synths.synth_group_id', '=', 'synth_groups.id')
          .orderBy('synths.created_at', 'desc')
          .orderBy('synths.id', 'desc')
          .limit(limit);
        const rest = from
          ? synths.where((on) =>
              on(on.refTuple('synths.created_at', 'synths.id'), '<', on.tuple(from.at, from.key)),
            )
          : synths;
        return rest.as('synth');
      },
      (join) => join.onTrue(),
    )
    .selectAll('synth')
    .where('synth_groups.id', '=', key)
    .orderBy('synth.created_at', 'desc')
    .orderBy('synth.id', 'desc');
}

type GroupRow = Awaited<ReturnType<ReturnType<typeof groupSummaries>['execute']>>[number];
type GroupSynthRow = Awaited<ReturnType<ReturnType<typeof groupWithSynths>['execute']>>[number];

/** Whether the row has a synth: its columns are there together, or none is. */
export function hasSynth<Row extends GroupSynthRow>(row: Row): row is Row & SynthRow {
  return row.id !== null;
}

export function toGroupSummary(row: GroupRow): SynthGroupSummary {
  return {
    id: row.group_id,
    name: row.group_name,
    description: row.group_description,
    synthCount: row.synth_count ?? 0,
    createdAt: instant(row.group_created_at_hex),
  };
}
