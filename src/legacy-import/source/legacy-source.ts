import type { TargetTable } from '../destination/target-table.ts';

/** A text of the source that is not valid UTF-8. */
export class UnreadableText {
  readonly problem: string;

  constructor(problem: string) {
    this.problem = problem;
  }
}

/** A value of a row in the source. */
export type SourceValue = string | bigint | number | Uint8Array | UnreadableText | null;

/** A row of the source. */
export interface SourceRow {
  /** In the order of the target table's columns. */
  readonly values: readonly SourceValue[];
  /** Identifies the row in its table, the same in every run; for rows without a key. */
  readonly place: string;
  /** Whether its ancestors form a cycle, or lead to one. */
  readonly inCycle: boolean;
}

/** A table of the source. */
export interface SourceTable {
  readonly name: string;
  /** The names of its columns. */
  readonly columns: readonly string[];
}

/** A legacy database, read from one snapshot. */
export interface LegacySource extends AsyncDisposable {
  /** Identifies the source in messages, without a secret. */
  readonly label: string;
  readonly tables: readonly SourceTable[];
  /** What may be missing in it, one sentence each. */
  readonly notes: readonly string[];
  /** Whether SQLite's `datetime('now')` wrote some of its times. */
  readonly isSqlite: boolean;
  count(table: string): Promise<number>;
  /** Returns how many rows have a value in the column. */
  countValues(table: string, column: string): Promise<number>;
  /** Yields all rows in chunks that fit into memory, in a stable order: parents of a tree first, rows in a cycle last. */
  rows(table: TargetTable): AsyncIterable<readonly SourceRow[]>;
  /** Returns which of the keys exist in `table`, whose key is a single column. */
  existing(table: TargetTable, keys: readonly string[]): Promise<ReadonlySet<string>>;
}
