/** What happened to a row or value that was not stored unchanged. */
export type FindingOutcome =
  /** The row is not imported. */
  | 'rejected'
  /** A document that does not match its shape is stored. */
  | 'out_of_shape'
  /** A value that PostgreSQL can't store is replaced. */
  | 'replaced'
  /** An object has a key more than once; its last value is stored. */
  | 'repeated_key'
  /** A reference to a row that does not exist is stored as NULL. */
  | 'nulled'
  /** NULL in a NOT NULL column is stored as the column's default. */
  | 'defaulted';

/** The option of an import that lets rejected rows in. */
export type ImportRemedy = '--source-time-zone' | '--replace-invalid-json' | '--null-dangling';

/** A finding, with the option that would let its row in. */
export interface RemediedFinding extends ImportFinding {
  readonly remedy: ImportRemedy | null;
  /** Whether the row refers to one that does not exist or was rejected: letting that one in may be the remedy. */
  readonly isDangling: boolean;
}

/** A row, or a value of it, that is reported. */
export interface ImportFinding {
  readonly outcome: FindingOutcome;
  readonly table: string;
  /** The values of the row's key; for a row without a key, its position. */
  readonly key: string;
  /** Null when it concerns the whole row. */
  readonly column: string | null;
  /** Never contains a value of the row. */
  readonly reason: string;
}
