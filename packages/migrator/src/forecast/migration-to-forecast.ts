import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import type { Direction, LoadedMigration } from '../files/code-migration.ts';
import type { Session } from '../session/session.ts';
import type { TableIds } from './table-ids.ts';
import type { TableStatistics } from './table-statistics.ts';

/** A direction of a migration, and what its tables are like on the connected database. */
export interface MigrationToForecast {
  readonly migrated: MigratedDatabase;
  /** The server of the scratch databases. */
  readonly server: Session;
  readonly migration: LoadedMigration;
  readonly direction: Direction;
  /** By the tables' labels. */
  readonly statistics: ReadonlyMap<string, TableStatistics>;
  /** The labels that tables had before the first migration of the forecast. */
  readonly originals: TableIds;
}
