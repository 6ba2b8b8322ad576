import type { RefusedError } from '../../errors.ts';
import type { PlannedStatement } from '../load-options.ts';

/** What PostgreSQL says became of the parents of one target. `inserted`, `updated` and `skipped` together are `candidates`. */
export interface BackfilledTarget {
  readonly name: string;
  readonly entity: string;
  /**
   * `failed`: the database refused it, and it was taken back; `left_out`: one that it depends on failed. Either happens with `savepoints`
   * only, and leaves all counts at 0.
   */
  readonly outcome: 'done' | 'failed' | 'left_out';
  /** Why it failed. */
  readonly error: RefusedError | null;
  /** Different parents that the facts name. */
  readonly candidates: number;
  readonly inserted: number;
  /** Rows that changed. */
  readonly updated: number;
  /** Parents that nothing was done for: they were there, or had nothing to fill, or were not there to be filled. */
  readonly skipped: number;
}

export interface BackfillResult {
  /** How many facts there were. */
  readonly facts: number;
  /** In the order in which they were worked on. */
  readonly targets: readonly BackfilledTarget[];
}

/** What a backfill would send. What is there already is for the database to say. */
export interface BackfillPlan {
  /** How many facts there are. */
  readonly facts: number;
  /** In the order in which they would be worked on. */
  readonly targets: readonly {
    readonly name: string;
    readonly entity: string;
    readonly candidates: number;
  }[];
  /** Without those that begin and end the transaction and its savepoints. */
  readonly statements: readonly PlannedStatement[];
}
