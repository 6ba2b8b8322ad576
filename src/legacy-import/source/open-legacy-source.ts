import type { LegacySource } from './legacy-source.ts';
import { PostgresSource } from './postgres-source.ts';
import { SqliteSource } from './sqlite-source.ts';

/**
 * Opens a legacy database: a SQLite file by its path, a PostgreSQL database by its URL. Close it with `await using`.
 *
 * @throws LegacySourceError, SettingsError, ConnectionError
 */
export function openLegacySource(from: string): Promise<LegacySource> {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(from) ? PostgresSource.open(from) : SqliteSource.open(from);
}
