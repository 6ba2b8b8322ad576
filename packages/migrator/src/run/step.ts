import type { Direction, EmittedMigration } from '../files/emitted-migration.ts';

/** One direction of a migration. */
export interface Step {
  readonly migration: EmittedMigration;
  readonly direction: Direction;
  /** For the history. */
  readonly note?: string | undefined;
}
