import type { TimeForm } from './conversion/read-timestamp.ts';
import type { FindingOutcome } from './conversion/import-finding.ts';

/** The row counts and digests of one imported table. */
export interface TableResult {
  readonly table: string;
  /** Rows of the source. */
  readonly rows: number;
  /** Rows written by this run; in a dry run, rows that would be written. */
  readonly written: number;
  /** Rows that the target had before, equal in all columns. */
  readonly found: number;
  readonly rejected: number;
  /** Rows without a key, which got one. */
  readonly generatedKeys: number;
  /** JSON `null` documents, stored as NULL. */
  readonly jsonNulls: number;
  /** The number of times of each form, in the rows written and found. */
  readonly times: Readonly<Partial<Record<TimeForm, number>>>;
  /** The number of findings of each outcome. */
  readonly findings: Readonly<Partial<Record<FindingOutcome, number>>>;
  /** The digest of the rows written and found, computed from the values of the source. */
  readonly sourceDigest: string;
  /** Count and digest of all rows of the target, computed by PostgreSQL; null before verification and in a dry run. */
  readonly target: { readonly count: number; readonly digest: string } | null;
}
