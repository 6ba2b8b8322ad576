import type { ExportFormat } from '../../exporting/index.ts';

/** The options of `synthdb export`. */
export interface ExportCommandOptions {
  readonly to: string;
  readonly format?: ExportFormat;
  readonly force?: boolean;
  readonly json?: boolean;
}
