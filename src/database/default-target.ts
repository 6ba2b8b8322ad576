import { join } from 'node:path';
import type { EmbeddedPostgres } from '../embedded/index.ts';
import { SettingsError } from '../errors.ts';
import { parseDatabaseUrl, type DatabaseTarget } from '../settings/database-url.ts';
import { projectDirectory } from '../settings/environment-file.ts';
import { whyNotEmbedded } from '../settings/embedded-by-default.ts';
import type { Resolved } from '../settings/settings-input.ts';
import {
  resolveSettings,
  urlSettingFor,
  type Purpose,
  type ResolvedDatabase,
} from '../settings/resolve-settings.ts';

/** Returns the directory of the project's embedded server. */
export function embeddedDirectory(): string {
  return join(projectDirectory(), '.data', 'postgres');
}

/**
 * Starts the project's embedded server, or returns the running one. `PG_MAJOR` is the major version for a new one, and has to be that of an
 * existing one.
 *
 * @throws EmbeddedPostgresError; SettingsError when `PG_MAJOR` is not a number.
 */
export async function startEmbedded(): Promise<EmbeddedPostgres> {
  const major = process.env['PG_MAJOR'];
  if (major !== undefined && !/^\d+$/.test(major)) {
    throw new SettingsError(`PG_MAJOR is "${major}"; expected a major version such as 18`);
  }
  // Loaded when it is needed: a service that has a database does not load it.
  const embedded = await import('../embedded/index.ts');
  return embedded.EmbeddedPostgres.start({
    directory: embeddedDirectory(),
    ...(major !== undefined && { major: Number(major) }),
  });
}

/**
 * Returns the configured database for `purpose`. Starts the project's embedded server when the settings ask for it, or, in development, when
 * they name no database.
 *
 * @throws SettingsError, EmbeddedPostgresError
 */
export async function targetFor(
  purpose: Purpose,
): Promise<ResolvedDatabase & { embedded?: EmbeddedPostgres }> {
  return targetOf(resolveSettings()[urlSettingFor(purpose)]);
}

/**
 * Returns the database of a setting.
 *
 * @throws SettingsError, EmbeddedPostgresError
 */
export async function targetOf({
  value,
  source,
}: Resolved<DatabaseTarget | null>): Promise<ResolvedDatabase & { embedded?: EmbeddedPostgres }> {
  if (value) return { target: value, source };
  const refusal = source === 'default' ? whyNotEmbedded() : null;
  if (refusal === null) return embeddedTarget();
  throw new SettingsError(
    `DATABASE_URL is not set, and the embedded server is not the default ${refusal}; set DATABASE_URL to the URL of a ` +
      'database, or to "embedded"; for example DATABASE_URL=embedded',
  );
}

/**
 * Returns the project's embedded database, and starts its server when it is not running.
 *
 * @throws SettingsError, EmbeddedPostgresError
 */
export async function embeddedTarget(): Promise<ResolvedDatabase & { embedded: EmbeddedPostgres }> {
  const embedded = await startEmbedded();
  // It listens on this machine only, without TLS: not asking for it saves a round trip for each connection.
  const target = parseDatabaseUrl(embedded.url, 'embedded', { sslMode: 'disable' });
  return { target, source: 'embedded', embedded };
}
