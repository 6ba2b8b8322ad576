export {
  migrateDown,
  migrateUp,
  migrationStates,
  pendingMigrations,
  type MigrationState,
} from './migrator.ts';
