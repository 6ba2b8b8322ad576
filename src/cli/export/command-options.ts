import type { ExportFormat } from '../../exporting/index.ts';

/** The options of `synthdb export`. */
export interface ExportCommandOptions {
  readonly to: string;
  readonly format?: ExportFormat;
  /** The key of a read model's parent. */
  readonly of?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}
