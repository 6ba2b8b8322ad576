import type { EntityClass } from '@mikro-orm/postgresql';

/** The formats of exported files. */
export const exportFormats = ['csv', 'jsonl', 'parquet'] as const;

/**
 * - `csv`: a header with the names of properties; NULL is an empty field, and an empty text is `""`.
 * - `jsonl`: one object per line; numbers in documents keep all their digits.
 * - `parquet`: times in microseconds, documents as texts with JSON; compressed with Snappy.
 */
export type ExportFormat = (typeof exportFormats)[number];

/** What to export. */
export interface ExportOptions {
  readonly format: ExportFormat;
  /** The entities whose tables are exported, in this order. Default: all, parents before their children. */
  readonly entities?: readonly EntityClass<object>[] | undefined;
  /** Aborts the export: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A table that is being exported. */
export interface ExportedTable {
  readonly entity: EntityClass<object>;
  /** The name of the entity's class, such as `Experiment`. */
  readonly name: string;
  /** The bytes of the file, to be read once. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** How much of a table was exported. */
export interface ExportCounts {
  /** The name of the entity's class. */
  readonly entity: string;
  readonly rows: number;
  readonly bytes: number;
}
