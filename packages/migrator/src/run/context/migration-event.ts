import type { Difference } from '../../catalog/differences.ts';
import type { PrecheckEvent } from '../../prechecks/row-checks.ts';
import type { Direction } from '../../files/code-migration.ts';

/** Emitted while migrations run. Times in milliseconds. */
export type MigrationEvent =
  /** Another runner holds the lease. */
  | { readonly kind: 'waiting'; readonly holder: string }
  /** A squash was recorded as applied in place of the migrations that it replaces. */
  | { readonly kind: 'takeover'; readonly name: string; readonly replaced: readonly string[] }
  /** `baseline` recorded it as applied, and could not verify all that it does: the rows that it changes, or what its code does. */
  | { readonly kind: 'unverified'; readonly name: string; readonly reason: string }
  /** The schema differs from what the last run left. Emitted before the first migration, also where none is pending. */
  | { readonly kind: 'drift'; readonly differences: readonly Difference[] }
  | PrecheckEvent
  | { readonly kind: 'started'; readonly name: string; readonly direction: Direction }
  | {
      readonly kind: 'statement';
      readonly name: string;
      readonly sql: string;
      /** Its number, from 1. */
      readonly number: number;
      readonly count: number;
    }
  /** The current statement waits for locks of other sessions. */
  | {
      readonly kind: 'blocked';
      readonly name: string;
      readonly by: readonly Blocker[];
      readonly waited: number;
    }
  /** A batch of a backfill was committed. */
  | {
      readonly kind: 'batch';
      readonly name: string;
      readonly table: string;
      /** The number of rows processed so far, including those before an interruption. */
      readonly rows: number;
      readonly rowsPerSecond: number;
      /** The remaining time by the planner's estimate; null when the estimate was exceeded. */
      readonly remaining: number | null;
    }
  /** Existing objects equal what the migration creates: they are dropped in its transaction and created again. */
  | { readonly kind: 'replacing'; readonly name: string; readonly objects: readonly string[] }
  /** A lock timed out, or there was a deadlock or conflict; the transaction was rolled back and is retried after `delay`. */
  | { readonly kind: 'retrying'; readonly name: string; readonly delay: number }
  | {
      readonly kind: 'done';
      readonly name: string;
      readonly direction: Direction;
      readonly duration: number;
    };

/** A session that holds a lock which the current statement waits for. */
export interface Blocker {
  readonly pid: number;
  readonly role: string | null;
  readonly application: string | null;
  readonly state: string | null;
}
