import type { RefusedError } from '../../errors.ts';
import type { PlannedStatement } from '../load/load-options.ts';

/** Row counts of one target as PostgreSQL reports them. `candidates` is the sum of `inserted`, `updated` and `skipped`. */
export interface BackfilledTarget {
  readonly name: string;
  readonly entity: string;
  /**
   * `failed`: PostgreSQL refused a statement, and the target was rolled back; `skipped`: a target that it depends on failed. Both occur
   * with `savepoints` only, with all counts 0.
   */
  readonly outcome: 'done' | 'failed' | 'skipped';
  /** Why the target failed; null otherwise. */
  readonly error: RefusedError | null;
  /** Distinct parents that the facts name. */
  readonly candidates: number;
  readonly inserted: number;
  /** Existing rows that changed. */
  readonly updated: number;
  /** Parents that changed nothing: they exist already, have nothing to fill, or do not exist when only NULL is filled. */
  readonly skipped: number;
}

/** What a backfill did. */
export interface BackfillResult {
  /** The number of facts. */
  readonly facts: number;
  /** In the order in which they ran. */
  readonly targets: readonly BackfilledTarget[];
}

/** What a backfill would send. Which parents exist already shows only when it runs. */
export interface BackfillPlan {
  /** The number of facts. */
  readonly facts: number;
  /** In the order in which they would run. */
  readonly targets: readonly {
    readonly name: string;
    readonly entity: string;
    readonly candidates: number;
  }[];
  /** Without the statements that begin and end the transaction and its savepoints. */
  readonly statements: readonly PlannedStatement[];
}
