import type { ComparisonOptions } from './comparison-options.ts';
import type { Decisions, Rename } from './create/decisions.ts';

/** What `createMigration` may do with values, and how it compares. */
export interface CreateOptions extends ComparisonOptions, Decisions {
  /**
   * A column that the entities have under another name, to be renamed in two releases. Writes the first part and nothing else: it adds the column
   * under the new name, fills it, and keeps both equal by triggers, so that code may use either. `contract` writes the second part.
   */
  readonly renameColumn?: Rename | undefined;
  /**
   * A column, as `books.title`, that an applied or pending migration of `renameColumn` replaces. Writes the migration that drops it, and nothing
   * else: for a later release, when no running code uses the column.
   */
  readonly contract?: string | undefined;
  /** Called with what migrations make, no entity describes, and no option drops: it stays as it is. */
  readonly onKept?: ((kept: readonly string[]) => void) | undefined;
  /** Whether to lint and verify the migration too, which takes seconds more. Default true. */
  readonly verify?: boolean | undefined;
}
