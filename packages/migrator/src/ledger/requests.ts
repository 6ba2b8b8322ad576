/** What to apply. */
export interface UpRequest {
  /** The last one to apply; all when absent. */
  readonly to?: string | undefined;
  /** Applies migrations that are older than applied ones too, and says so in the history. Default false. */
  readonly allowOutOfOrder?: boolean | undefined;
}

/** How far to go back; one step when nothing is said. */
export interface DownRequest {
  /** The last one to keep. */
  readonly to?: string | undefined;
  readonly steps?: number | undefined;
  readonly all?: boolean | undefined;
}
