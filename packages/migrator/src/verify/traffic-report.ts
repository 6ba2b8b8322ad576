import type { Direction } from '../files/code-migration.ts';

/** How running code fared while a direction of a migration was applied, and directly afterwards. */
export interface DirectionTraffic {
  /** How many requests were sent: short transactions of one or a few statements. */
  readonly requests: number;
  /** How many failed in a way that is not declared. */
  readonly failed: number;
  /** How many were refused as `static refuses` declares. */
  readonly refused: number;
  /** How many were sent once more, by the SQLSTATE of the first error: a deadlock, a conflict, or a statement that must be prepared again. */
  readonly retried: Readonly<Record<string, number>>;
  /** The longest time from sending a statement to its answer, in milliseconds. */
  readonly worstStallMs: number;
  /** The longest time that a whole request took, with its retry: its statements may have waited one after the other. */
  readonly slowestMs: number;
  /** The longest time that is accepted: the lock timeout and 100 ms. */
  readonly stallLimitMs: number;
}

/** Requests that failed in one way. */
export interface TrafficFailure {
  /** Whose requests: those of the code of before `up`, those of the code of after it, or the run of the migration. */
  readonly code: 'old' | 'new' | 'migration';
  readonly during: Direction;
  /** `table.column`, `table`, or the name of an author's request; quoted as in SQL, without `public`. */
  readonly object: string;
  /** The statement and the error, without values of rows. */
  readonly what: string;
  /** How many requests failed so. */
  readonly requests: number;
  /** The reason that the migration declares in `static refuses`; null for what it does not declare. */
  readonly declared: string | null;
}

/** What became of the requests of running code while a migration was applied and reverted. */
export interface TrafficReport {
  readonly up: DirectionTraffic;
  /** Null without a `down`, or when `up` failed. */
  readonly down: DirectionTraffic | null;
  readonly failures: readonly TrafficFailure[];
  /** What the code of before `up` is assumed not to use: `table.column: why`. */
  readonly assumed: readonly string[];
  /** Tables that no generated request reached. */
  readonly notCovered: readonly string[];
}

/** Whether no request failed that the migration does not declare, and none waited too long. */
export function isServed({ up, down, failures }: TrafficReport): boolean {
  return failures.every(({ declared }) => declared !== null) && !isStalled(up) && !(down && isStalled(down));
}

/** Whether a request waited longer than is accepted. */
export function isStalled({ worstStallMs, stallLimitMs }: DirectionTraffic): boolean {
  return worstStallMs > stallLimitMs;
}
