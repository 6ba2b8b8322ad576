import type { Direction } from '../files/code-migration.ts';
import type { Blocks } from '../lint/observation/finding.ts';

/** A lock that a statement will hold. */
export interface ForecastLock {
  /** Quoted as in SQL, without `public`. */
  readonly table: string;
  /** By PostgreSQL's name: `AccessExclusiveLock`. */
  readonly lock: string;
  readonly blocks: Blocks;
  /** To the end of its transaction, in milliseconds. */
  readonly heldMs: number;
}

/** How long a statement will take, and what it will block meanwhile. */
export interface ForecastStatement {
  /** Its number among those of the migration, from 1. */
  readonly statement: number;
  readonly sql: string;
  readonly durationMs: number;
  readonly locks: readonly ForecastLock[];
}

/** A table that a forecast is for. */
export interface ForecastTable {
  /** Quoted as in SQL, without `public`. */
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
  /** Whether the server has statistics of it. Without, the number of rows follows from its size and the generated rows'. */
  readonly hasStatistics: boolean;
  /** How many generated rows were measured. */
  readonly measuredRows: number;
}

/** How long a direction of a migration will take. */
export interface Forecast {
  readonly migration: string;
  readonly direction: Direction;
  /** In milliseconds, without waiting for locks; null where it is unknown. */
  readonly durationMs: number | null;
  readonly statements: readonly ForecastStatement[];
  /** The tables with rows that it touches. */
  readonly tables: readonly ForecastTable[];
  /** Why it is unknown; null where it is known. */
  readonly unknown: string | null;
}

/** A direction of a migration. */
export interface ForecastRequest {
  readonly name: string;
  readonly direction: Direction;
  /** As a plan has it: with an entry, nothing is sent, and there is no forecast. */
  readonly takesOver?: readonly string[];
}

/** Returns the forecast of a step whose time is not known. */
export function unknownForecast({ name, direction }: ForecastRequest, why: string): Forecast {
  return { migration: name, direction, durationMs: null, statements: [], tables: [], unknown: why };
}
