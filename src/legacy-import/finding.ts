/** What became of a row, or of one of its values, that was not simply stored as it was. */
export type Outcome =
  /** The row is not in the target. */
  | 'rejected'
  /** Stored though it breaks its shape. */
  | 'out_of_shape'
  /** Stored with something else in place of what PostgreSQL can't store. */
  | 'replaced'
  /** An object had a key more than once; its last value is stored. */
  | 'repeated_key'
  /** A reference to a row that does not exist is stored as NULL. */
  | 'nulled'
  /** NULL where none may be is stored as the column's default. */
  | 'defaulted';

export interface Finding {
  readonly outcome: Outcome;
  readonly table: string;
  /** The values of the row's key, or how to find a row without one. */
  readonly key: string;
  readonly column: string | null;
  /** Without a value of the row. */
  readonly reason: string;
}
