import { join } from 'node:path';
import { EmbeddedPostgres } from '../embedded/index.ts';
import { SettingsError } from '../errors.ts';
import { parseDatabaseUrl } from '../settings/database-url.ts';
import { projectDirectory } from '../settings/environment-file.ts';
import { resolveDatabase, type Purpose, type ResolvedDatabase } from '../settings/resolve.ts';

/** Where the embedded server of the project keeps its files. */
export function embeddedDirectory(): string {
  return join(projectDirectory(), '.data', 'postgres');
}

/**
 * The project's embedded server, started when it does not run. `PG_MAJOR` picks the PostgreSQL of a new one, or agrees with that of
 * an older one.
 *
 * @throws EmbeddedPostgresError; SettingsError when `PG_MAJOR` is no number.
 */
export async function startEmbedded(): Promise<EmbeddedPostgres> {
  const major = process.env['PG_MAJOR'];
  if (major !== undefined && !/^\d+$/.test(major)) {
    throw new SettingsError(`PG_MAJOR is "${major}"; for example PG_MAJOR=18`);
  }
  return EmbeddedPostgres.start({
    directory: embeddedDirectory(),
    ...(major !== undefined && { major: Number(major) }),
  });
}

/**
 * The database that was asked for, or else the project's embedded one, which is started when it does not run.
 *
 * @throws SettingsError, EmbeddedPostgresError
 */
export async function targetOrEmbedded(
  given: { url?: string | undefined },
  purpose: Purpose,
): Promise<ResolvedDatabase & { embedded?: EmbeddedPostgres }> {
  return resolveDatabase(given, purpose) ?? embeddedTarget();
}

/**
 * The project's embedded database, whose server is started when it does not run.
 *
 * @throws SettingsError, EmbeddedPostgresError
 */
export async function embeddedTarget(): Promise<ResolvedDatabase & { embedded: EmbeddedPostgres }> {
  const embedded = await startEmbedded();
  // It listens on this machine only and has no TLS; not to ask for it spares each connection a round trip.
  const target = parseDatabaseUrl(embedded.url, 'embedded', { sslMode: 'disable' });
  return { target, source: 'embedded', embedded };
}
