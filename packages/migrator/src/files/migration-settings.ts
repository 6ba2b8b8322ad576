/** Properties that a migration may declare, besides those of the ORM's class. Times in milliseconds. */
export interface MigrationSettings {
  /** How long a statement may wait for a lock before the migration is rolled back and retried. */
  readonly lockTimeout?: number;
  /** How long a statement may take; 0 for no limit. */
  readonly statementTimeout?: number;
  /** Queries for rows that must not exist when `up` begins. Rows refuse the run, before anything is applied where the answer is known then. */
  readonly prechecks?: readonly string[];
  /** Queries for rows that must not exist when `up` ends, run in its transaction. Rows roll it back. */
  readonly postchecks?: readonly string[];
}
