import type { ComparisonOptions } from './comparison-options.ts';
import type { Decisions } from './create/decisions.ts';

/** What `createMigration` may do with values, and how it compares. */
export interface CreateOptions extends ComparisonOptions, Decisions {
  /** Called with what migrations make, no entity describes, and no option drops: it stays as it is. */
  readonly onKept?: ((kept: readonly string[]) => void) | undefined;
  /** Whether to lint and verify the migration too, which takes seconds more. Default true. */
  readonly verify?: boolean | undefined;
}
