import type { Direction, LoadedMigration } from '../../files/code-migration.ts';

/** One direction of a migration. */
export interface Step {
  readonly migration: LoadedMigration;
  readonly direction: Direction;
  /** Its statements, if they are known already; else it is called when it runs. */
  readonly statements: readonly string[] | null;
  /** For the history. */
  readonly note?: string | undefined;
}
