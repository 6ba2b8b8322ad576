export { backfill, type BackfillOptions } from './backfill.ts';
export { createMigration } from './create-migration.ts';
export type { Direction, MigrationSettings } from './emitted-migration.ts';
export { MigratorError, RefusedError, type MigratorErrorCode } from './errors.ts';
export { migrationGap, type MigrationGap } from './gap.ts';
export { Migrator, type MigrationRun, type MigratorOptions } from './migrator.ts';
export type { Blocker, MigrationEvent } from './run.ts';
export type { DownRequest, UpRequest } from './selection.ts';
export type { Condition, MigrationStatus } from './status.ts';
