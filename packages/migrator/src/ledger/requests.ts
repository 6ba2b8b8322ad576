/** Which migrations to apply. */
export interface UpRequest {
  /**
   * The last one to apply: its name, a beginning that no other has (at least four letters, `Migration` may be left out), or `+1` for the next
   * pending one, `+2` for two. All when absent.
   */
  readonly to?: string | undefined;
  /** Also applies migrations that are older than applied ones, and records that in the history. Default false. */
  readonly allowOutOfOrder?: boolean | undefined;
  /** Accepts a database that newer code has migrated, if nothing is pending: for the older code after a rollback. Default false. */
  readonly allowAhead?: boolean | undefined;
  /** Refuses to run when the schema differs from what the last run left, where that is known. Default false: an event reports it. */
  readonly refuseDrift?: boolean | undefined;
}

/** Which migrations to revert; the one applied last by default. */
export interface DownRequest {
  /** The last one to keep: its name, a beginning that no other has, or `-1` to revert one, `-2` for two. */
  readonly to?: string | undefined;
  readonly steps?: number | undefined;
  readonly all?: boolean | undefined;
}
