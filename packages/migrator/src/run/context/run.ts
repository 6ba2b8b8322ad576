import type { MikroORM } from '@mikro-orm/postgresql';
import type { LoadedMigration } from '../../files/code-migration.ts';
import type { Lease } from '../../lease/lease.ts';
import type { MigratorTables } from '../../ledger/tables.ts';
import type { Conflict } from '../../leftovers/find-conflict.ts';
import type { Limits } from './limits.ts';
import type { MigrationEvent } from './migration-event.ts';

/** A migration whose `up` failed. */
export interface FailedStep {
  readonly migration: LoadedMigration;
  readonly statements: readonly string[];
  /** The statement that failed, from 1. */
  readonly at: number;
}

/** What running a step needs. */
export interface Run {
  readonly orm: MikroORM;
  readonly tables: MigratorTables;
  readonly lease: Lease;
  readonly limits: Limits;
  readonly report: (event: MigrationEvent) => void;
  /** Stops the run. */
  readonly signal: AbortSignal | undefined;
  /** Returns which existing objects made `up` of a migration fail, and what to do about them; null when none is found. */
  readonly findConflict: (failed: FailedStep) => Promise<Conflict | null>;
}
