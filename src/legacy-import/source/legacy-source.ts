import type { TargetTable } from '../target/target-table.ts';

/** A text that is in the source but that no string can hold. */
export class UnreadableText {
  readonly problem: string;

  constructor(problem: string) {
    this.problem = problem;
  }
}

export type SourceValue = string | bigint | number | Uint8Array | UnreadableText | null;

export interface SourceRow {
  /** In the order of the target table's columns. */
  readonly values: readonly SourceValue[];
  /** Tells the row from all others of its table, at every run alike; for rows without a key. */
  readonly place: string;
  /** Whether its ancestors lead back to itself, or to such a row. */
  readonly inCycle: boolean;
}

interface SourceColumn {
  readonly name: string;
  /** Whether the source's own `datetime('now')` fills it. */
  readonly filledWithNow: boolean;
}

export interface SourceTable {
  readonly name: string;
  readonly columns: readonly SourceColumn[];
}

/** A legacy database, seen as of one moment. */
export interface LegacySource extends AsyncDisposable {
  /** For messages; without a secret. */
  readonly label: string;
  readonly tables: readonly SourceTable[];
  count(table: string): Promise<number>;
  /** How many rows have a value there. */
  countValues(table: string, column: string): Promise<number>;
  /** All rows, in pieces that fit into memory: in the same order each time, parents of a tree first, rows in a cycle last. */
  rows(table: TargetTable): AsyncIterable<readonly SourceRow[]>;
  /** Which of the keys `table` has; its key is one column. */
  existing(table: TargetTable, keys: readonly string[]): Promise<ReadonlySet<string>>;
}
