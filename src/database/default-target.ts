import { join } from 'node:path';
import { EmbeddedPostgres } from '../embedded/index.ts';
import { SettingsError } from '../errors.ts';
import { parseDatabaseUrl, type DatabaseTarget } from '../settings/database-url.ts';
import { projectDirectory } from '../settings/environment-file.ts';
import { embeddedRefusal } from '../settings/embedded-by-default.ts';
import type { Resolved } from '../settings/settings-input.ts';
import {
  resolveSettings,
  urlSettingFor,
  type Purpose,
  type ResolvedDatabase,
} from '../settings/resolve-settings.ts';

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
 * The database that the settings name for `purpose`. The project's embedded one, where they ask for it or, in development, name none,
 * is started when it does not run.
 *
 * @throws SettingsError, EmbeddedPostgresError
 */
export async function targetFor(
  purpose: Purpose,
): Promise<ResolvedDatabase & { embedded?: EmbeddedPostgres }> {
  return targetOf(resolveSettings()[urlSettingFor(purpose)]);
}

/**
 * The database of a setting.
 *
 * @throws SettingsError, EmbeddedPostgresError
 */
export async function targetOf({
  value,
  source,
}: Resolved<DatabaseTarget | null>): Promise<ResolvedDatabase & { embedded?: EmbeddedPostgres }> {
  if (value) return { target: value, source };
  const whyNot = source === 'default' ? embeddedRefusal() : null;
  if (whyNot === null) return embeddedTarget();
  throw new SettingsError(
    `DATABASE_URL is not set, and the embedded server is not the default ${whyNot}; set DATABASE_URL to the URL of a ` +
      'database, or to "embedded"; for example DATABASE_URL=embedded',
  );
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
