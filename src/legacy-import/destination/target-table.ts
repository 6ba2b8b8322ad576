import type { ShapedJson } from '../../json/shaped-json.ts';
import type { CheckRule } from './parse-check.ts';

/** The type of a target column, as far as its conversion differs. */
export type ColumnType = 'text' | 'integer' | 'double' | 'time' | 'json';

/** A column that is filled from the column of the same name in the source. */
export interface TargetColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  /** The constant default as text; undefined when the column has none. */
  readonly default: string | undefined;
  /** The CHECK constraints on this column alone that can be evaluated without PostgreSQL. */
  readonly rules: readonly CheckRule[];
  readonly shape: ShapedJson | undefined;
  readonly references: Reference | undefined;
}

/** The foreign key of a column. */
interface Reference {
  readonly table: string;
  /** Whether it is declared `on delete set null`. */
  readonly nulled: boolean;
}

/** A table that the import fills. */
export interface TargetTable {
  readonly name: string;
  readonly columns: readonly TargetColumn[];
  /** The columns of the primary key, all of type text. */
  readonly key: readonly string[];
  /** The prefix of generated keys; undefined when the entity does not generate its key. */
  readonly keyPrefix: string | undefined;
  /** The column that references a row of the same table. */
  readonly parent: string | undefined;
}
