export { createMigration } from './create-migration.ts';
export {
  migrateDown,
  migrateUp,
  migrationGap,
  migrationStates,
  type MigrationGap,
  type MigrationState,
} from './migrator.ts';
