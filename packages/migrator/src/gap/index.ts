// What a service needs at each start, without the migrator.
export { migrationGap, type MigrationGap } from '../ledger/pending.ts';
