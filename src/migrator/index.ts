export { createMigration } from './create-migration.ts';
export {
  migrateDown,
  migrateUp,
  migrationStates,
  pendingMigrations,
  type MigrationState,
} from './migrator.ts';
