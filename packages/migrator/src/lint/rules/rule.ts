import type { Blocks, Held } from '../observation/finding.ts';
import type { ObservedStatement } from '../observation/observed-statement.ts';

/** A migration of an example. Its tables are those of `exampleSchema`. */
export interface ExampleMigration {
  readonly up: readonly string[];
  readonly down?: readonly string[];
  /** False for one that runs statement by statement. Default true. */
  readonly transactional?: boolean;
  readonly lockTimeout?: number;
  readonly loses?: readonly string[];
}

/** What a rule finds in a statement. */
export interface Match {
  readonly object: string;
  /** The table whose lock is reported; null for none. */
  readonly table: number | null;
  readonly safe: string;
  /** Where the statement could not be observed. */
  readonly lock?: { readonly mode: string; readonly blocks: Blocks; readonly held: Held };
}

/** A rule of `lint`, and its page. */
export interface Rule {
  readonly name: string;
  /** What the statement does. */
  readonly does: string;
  /** What it locks, and for how long. */
  readonly locks: string;
  /** Why that hurts, and what the safe form does instead. */
  readonly why: string;
  readonly unsafe: ExampleMigration;
  /** The migrations that do the same safely, in their order. */
  readonly safe: readonly ExampleMigration[];
  /** Whether it reports the first statement of a migration only. */
  readonly once?: boolean;
  /** `found` is what rules before it found in the statement. */
  find(statement: ObservedStatement, found: readonly Match[]): readonly Match[];
}
