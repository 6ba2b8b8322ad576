import type { LeftOut } from '../../catalog/server-guard.ts';
import type { Direction } from '../../files/code-migration.ts';

/** What a lock stops others from doing with a table. */
export type Blocks = 'reads and writes' | 'writes' | 'nothing';

/** For how long a lock is held. It is released when its transaction ends, which may be later. */
export type Held =
  | 'briefly'
  | 'while the table is rewritten'
  | 'while the table is scanned'
  | 'while the index is built'
  | 'while the foreign key is checked'
  | 'while the rows are written';

/** An unsafe form in a migration. */
export interface Finding {
  readonly migration: string;
  readonly direction: Direction;
  /** The number of the statement, from 1; null where the migration as a whole is meant. */
  readonly statement: number | null;
  readonly sql: string | null;
  readonly rule: string;
  /** What it is about: `index orders_number`, `column orders.note`. */
  readonly object: string;
  /** The table that is locked; null for none. */
  readonly table: string | null;
  /** The strongest lock on that table that its transaction holds then, by PostgreSQL's name; null for none. */
  readonly lock: string | null;
  readonly blocks: Blocks;
  readonly held: Held;
  /** For how long it was held on generated rows, where that was requested and seen: to the end of its transaction, in milliseconds. */
  readonly measured?: { readonly rows: number; readonly heldMs: number };
  /** The safe form, with the names of this migration: SQL, and comments on where it belongs. */
  readonly safe: string;
  /** The page of the rule, in the package. */
  readonly page: string;
}

/** A finding that the migration silences. */
export interface SilencedFinding extends Finding {
  readonly reason: string;
}

/** A migration, or a direction of it, that was not linted. */
export interface NotLinted {
  readonly migration: string;
  readonly direction: Direction;
  readonly reason: string;
}

/** What `lint` found. */
export interface LintReport {
  /** The migrations that were linted, in the order in which they run. */
  readonly migrations: readonly string[];
  readonly findings: readonly Finding[];
  readonly silenced: readonly SilencedFinding[];
  readonly notLinted: readonly NotLinted[];
  /** Statements that the scratch database did not receive, so that they were not linted. */
  readonly leftOut: readonly LeftOut[];
}
