import type { ShapedJson } from '../../json/shaped-json.ts';
import type { Rule } from './check-rules.ts';

export type ColumnType = 'text' | 'integer' | 'double' | 'time' | 'json';

/** A column that is filled from the column of the same name in the source. */
export interface TargetColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  /** The constant that PostgreSQL would fill in, as text; undefined when there is none. */
  readonly default: string | undefined;
  /** The CHECKs on this column alone that can be held against a value without PostgreSQL. */
  readonly rules: readonly Rule[];
  readonly shape: ShapedJson | undefined;
  readonly references: Reference | undefined;
}

/** Whose key a column holds. */
interface Reference {
  readonly table: string;
  /** Whether the row lives on without the one that it points at. */
  readonly nulled: boolean;
}

/** A table that the import fills. */
export interface TargetTable {
  readonly name: string;
  readonly columns: readonly TargetColumn[];
  /** The names of the columns of the primary key; all of them are texts. */
  readonly key: readonly string[];
  /** What the keys begin with that the table's rows mint for themselves; undefined when they can't. */
  readonly mintedPrefix: string | undefined;
  /** The column that points at a row of the same table. */
  readonly parent: string | undefined;
}
