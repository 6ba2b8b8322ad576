import type { Outcome } from './finding.ts';

/** What became of the rows of one table. */
export interface TableResult {
  readonly table: string;
  /** In the source. */
  readonly rows: number;
  /** Written by this run; by a dry run, those that would be. */
  readonly written: number;
  /** In the target before, equal in all columns. */
  readonly found: number;
  readonly rejected: number;
  /** Rows without a key that got one. */
  readonly mintedKeys: number;
  /** Documents that were nothing but `null`, and are NULL now. */
  readonly jsonNulls: number;
  /** How often each other thing was found that is worth telling. */
  readonly findings: Readonly<Partial<Record<Outcome, number>>>;
  /** Over the rows written and found, by the source's values. */
  readonly sourceDigest: string;
  /** Over all rows of the target, by PostgreSQL's reckoning; null when nobody looked. */
  readonly target: { readonly count: number; readonly digest: string } | null;
}
