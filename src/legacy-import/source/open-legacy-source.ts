import { SettingsError } from '../../errors.ts';
import type { LegacySource } from './legacy-source.ts';
import { PostgresSource } from './postgres-source.ts';
import { SqliteSource } from './sqlite-source.ts';

/**
 * Opens a legacy database: a SQLite file by its path, or a PostgreSQL database by its URL. Close it with `await using`.
 *
 * @throws LegacySourceError when it can't be read or is not a legacy database.
 * @throws SettingsError when `from` is neither a path nor a valid URL.
 * @throws ConnectionError when PostgreSQL can't be reached.
 */
export async function openLegacySource(from: string): Promise<LegacySource> {
  if (from.trim() === '')
    throw new SettingsError('--from is empty; give the path of a SQLite file or a PostgreSQL URL');
  // The old system's SQLAlchemy names files by URLs.
  if (/^sqlite[^/]*:\/\//i.test(from))
    throw new SettingsError(
      '--from is a sqlite:// URL; give the path of the file instead, for example output/synthlab.db',
    );
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(from) ? PostgresSource.open(from) : SqliteSource.open(from);
}
