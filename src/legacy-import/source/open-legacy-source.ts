import { SettingsError } from '../../errors.ts';
import type { LegacySource } from './legacy-source.ts';
import { PostgresSource } from './postgres-source.ts';
import { SqliteSource } from './sqlite-source.ts';

/**
 * Opens a legacy database: a SQLite file by its path, a PostgreSQL database by its URL. Close it with `await using`.
 *
 * @throws LegacySourceError, SettingsError, ConnectionError
 */
export async function openLegacySource(from: string): Promise<LegacySource> {
  if (from.trim() === '') throw new SettingsError('--from is empty: give a file or a URL');
  // As SQLAlchemy, with which the old system was written, names files.
  if (/^sqlite[^/]*:\/\//i.test(from))
    throw new SettingsError(
      '--from names a SQLite file by a URL: give its path, for example output/synthlab.db',
    );
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(from) ? PostgresSource.open(from) : SqliteSource.open(from);
}
