import type { EntityMetadata } from '@mikro-orm/postgresql';
import type { LoadColumn } from '../load/load-target.ts';
import type { BackfillTarget } from './backfill-config.ts';
import type { StagedColumn } from './staged-columns.ts';

/** A target whose names are resolved to columns. */
export interface ResolvedTarget {
  readonly name: string;
  readonly mode: BackfillTarget['mode'];
  readonly dependsOn: readonly string[];
  readonly meta: EntityMetadata;
  /** The qualified, quoted name of its table. */
  readonly table: string;
  readonly key: readonly StagedValue[];
  readonly columns: readonly AggregatedColumn[];
  readonly tracking: readonly TrackedColumn[];
  /** Values that the entity generates on creation and the table has no default for, such as its key. */
  readonly generated: readonly StagedValue[];
  /** The column of the optimistic lock's version; null when the entity has none. */
  readonly version: LoadColumn | null;
}

/** A column, and the staged column that holds its value. */
export interface StagedValue {
  readonly column: LoadColumn;
  readonly staged: StagedColumn;
}

/** A column, how its value is aggregated from the facts of one parent, and the SQL of the value for none. */
export type AggregatedColumn = {
  readonly column: LoadColumn;
  readonly fallback: string | null;
} & Aggregation;

/** An aggregation over staged columns. */
export type Aggregation =
  | { readonly how: 'first' | 'count_distinct' | 'collect_distinct'; readonly staged: StagedColumn }
  | {
      readonly how: 'max_by';
      readonly staged: StagedColumn;
      readonly number: StagedColumn;
      readonly time: StagedColumn;
    }
  | {
      readonly how: 'concat_distinct';
      readonly staged: StagedColumn;
      readonly separator: string;
      readonly sort: boolean;
    }
  | {
      readonly how: 'template';
      readonly parts: readonly ({ readonly text: string } | { readonly staged: StagedColumn })[];
    };

/** A column, and the SQL of the constant that is written into it. */
export interface TrackedColumn {
  readonly column: LoadColumn;
  readonly value: string;
}
