/** Which migrations to apply. */
export interface UpRequest {
  /** The last one to apply; all when absent. */
  readonly to?: string | undefined;
  /** Also applies migrations that are older than applied ones, and records that in the history. Default false. */
  readonly allowOutOfOrder?: boolean | undefined;
}

/** Which migrations to revert; the one applied last by default. */
export interface DownRequest {
  /** The last one to keep. */
  readonly to?: string | undefined;
  readonly steps?: number | undefined;
  readonly all?: boolean | undefined;
}
