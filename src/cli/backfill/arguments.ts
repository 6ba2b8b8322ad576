import type { Format } from '../load/source.ts';

/** The arguments of `synthdb backfill`. */
export interface BackfillArguments {
  readonly config: string;
  readonly format?: Format;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}
