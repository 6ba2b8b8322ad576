import type { FileOptions } from '../rows/file-options.ts';

/** The options of `synthdb backfill`. */
export interface BackfillCommandOptions extends FileOptions {
  readonly config: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}
