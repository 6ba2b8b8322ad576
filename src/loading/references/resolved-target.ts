import type { EntityMetadata } from '@mikro-orm/postgresql';
import type { LoadColumn } from '../load-target.ts';
import type { BackfillTarget } from './config.ts';
import type { StagedColumn } from './staged-facts.ts';

/** A target whose names were found to stand for something. */
export interface ResolvedTarget {
  readonly name: string;
  readonly mode: BackfillTarget['mode'];
  readonly dependsOn: readonly string[];
  readonly meta: EntityMetadata;
  /** Its table as statements name it. */
  readonly table: string;
  readonly key: readonly StagedValue[];
  readonly columns: readonly AggregatedColumn[];
  readonly tracking: readonly TrackedColumn[];
  /** What an entity gives itself when it is made, and no default of the table would: its own key. */
  readonly minted: readonly StagedValue[];
  /** Counts a row's changes; null when the rows have no version. */
  readonly version: LoadColumn | null;
}

/** A column and where the facts hold its value. */
export interface StagedValue {
  readonly column: LoadColumn;
  readonly staged: StagedColumn;
}

/** A column, and how its value is made of what the facts of one parent hold. */
export type AggregatedColumn = {
  readonly column: LoadColumn;
  readonly fallback: string | null;
} & Aggregation;

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

/** A column and the SQL of what is written into it. */
export interface TrackedColumn {
  readonly column: LoadColumn;
  readonly value: string;
}
