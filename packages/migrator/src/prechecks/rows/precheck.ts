/** What rows would make a statement fail. */
export type PrecheckKind =
  /** NULL under a NOT NULL or a primary key, a column added without a default included. */
  | 'nulls'
  /** Equal keys under a unique index, a unique constraint or a primary key. */
  | 'duplicates'
  /** References to rows that do not exist, under a foreign key. */
  | 'orphans'
  /** Rows that violate a CHECK, of a table or a domain. */
  | 'violations'
  /** Values that can't be converted to another type. */
  | 'conversions'
  /** Rows that conflict with another one under an exclusion constraint. */
  | 'conflicts'
  /** Rows outside the bounds of a partition, or in the default partition within those of a new one. */
  | 'bounds'
  /** Rows that a query of the migration's `prechecks` returns. */
  | 'by hand';

/** What the rows of the database mean for a pending migration. */
export interface Precheck {
  readonly migration: string;
  /** Its statement, from 1; null for a query of its `prechecks`. */
  readonly statement: number | null;
  readonly kind: PrecheckKind;
  /** The table; null for a query of its `prechecks`. */
  readonly table: string | null;
  /** What the rows were compared with, such as `NOT NULL of title`. */
  readonly subject: string;
  /** `refused`: the migration would fail. `unknown`: it could not be counted, for `reason`. */
  readonly outcome: 'passed' | 'refused' | 'unknown';
  /** How many rows make it fail; null when unknown. */
  readonly rows: number | null;
  /** Of how many; null when unknown. */
  readonly of: number | null;
  /** Whether there may be more than `rows`: PostgreSQL stops at the first value that it can't convert. */
  readonly isLowerBound: boolean;
  /** A query that lists the rows; null unless refused. */
  readonly query: string | null;
  /** Why it is unknown; else null. */
  readonly reason: string | null;
}

/** What one precheck counts. */
export interface Question {
  readonly kind: PrecheckKind;
  /** The oid of the table. */
  readonly oid: string;
  readonly table: string;
  readonly subject: string;
  readonly query: string;
}

/** A query that counts for several questions at once. */
export interface Scan {
  /** Returns one row: `total`, and `found0`, `found1` … for the questions. */
  readonly sql: string;
  readonly questions: readonly Question[];
  /** A query for each question alone, for when one of them can't be evaluated. */
  readonly separate?: readonly string[];
}

/** Questions that can't be answered. */
export interface Unknown {
  readonly questions: readonly Pick<Question, 'kind' | 'table' | 'subject'>[];
  readonly reason: string;
}

/** Thrown where a question can't be answered before the run; the message says why. */
export class UnknownError extends Error {}
