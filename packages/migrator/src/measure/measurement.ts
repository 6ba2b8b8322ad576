import type { Direction } from '../files/code-migration.ts';
import type { Blocks } from '../lint/observation/finding.ts';
import type { FilledTable } from '../rows/multiply.ts';

/** A lock that a statement took on a table, stronger than what its transaction held before. Times in milliseconds. */
export interface MeasuredLock {
  /** Quoted as in SQL, without `public`. */
  readonly table: string;
  /** By PostgreSQL's name: `AccessExclusiveLock`. */
  readonly lock: string;
  /** What it stops others from doing with the table; a lock on rows stops writers of these rows too. */
  readonly blocks: Blocks;
  /** From the statement's beginning to the end of its transaction. */
  readonly heldMs: number;
  /** The longest time that a reader of the table waited while it was held; null where none was measured. */
  readonly readerStallMs: number | null;
  /** The longest time that a writer of one of its rows waited. */
  readonly writerStallMs: number | null;
}

/** A statement that was measured. */
export interface MeasuredStatement {
  readonly direction: Direction;
  /** Its number among those of the direction, from 1. */
  readonly statement: number;
  readonly sql: string;
  readonly durationMs: number;
  /** Locks on tables that exist before the migration; without those that only read. */
  readonly locks: readonly MeasuredLock[];
}

/** What a migration takes on a number of rows. */
export interface Measurement {
  /** How many rows each table that it touches was to have. */
  readonly rows: number;
  readonly tables: readonly FilledTable[];
  readonly statements: readonly MeasuredStatement[];
  /** Why a direction was not measured to its end. */
  readonly failures: readonly string[];
}
