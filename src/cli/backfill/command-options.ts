import type { Format } from '../load/source.ts';

/** The options of `synthdb backfill`. */
export interface BackfillCommandOptions {
  readonly config: string;
  readonly format?: Format;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}
