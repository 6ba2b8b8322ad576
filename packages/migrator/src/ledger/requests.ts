/** Which migrations to apply. */
export interface UpRequest {
  /**
   * The last one to apply: its name, a beginning that no other has (at least four letters, `Migration` may be left out), or `+1` for the next
   * pending one, `+2` for two. An optional one that it names is applied too. All that are not optional when absent.
   */
  readonly to?: string | undefined;
  /**
   * Also applies these optional migrations: their names, or beginnings that no other has. All before them that are not optional must be applied, or
   * are applied by the same run. An optional one that is in neither list nor `to` is left out.
   */
  readonly optional?: readonly string[] | undefined;
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
  /** Only these optional migrations, the one applied last first, also where others were applied after them. */
  readonly optional?: readonly string[] | undefined;
}
