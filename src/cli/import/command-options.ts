/** The options of `synthdb import`. */
export interface ImportCommandOptions {
  readonly from?: string;
  readonly fromEnv?: string;
  readonly dryRun?: boolean;
  readonly sourceTimeZone?: string;
  readonly skip?: string[];
  readonly exportSkipped?: string;
  readonly report?: string;
  readonly allowRejected: number;
  readonly replaceInvalidJson?: boolean;
  readonly nullDangling?: boolean;
  readonly strict?: boolean;
  readonly json?: boolean;
}
