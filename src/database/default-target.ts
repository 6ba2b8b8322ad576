import { join } from 'node:path';
import { EmbeddedPostgres } from '../embedded/index.ts';
import { parseDatabaseUrl } from '../settings/database-url.ts';
import {
  projectDirectory,
  resolveDatabase,
  type Purpose,
  type ResolvedDatabase,
} from '../settings/resolve.ts';

/** Where the embedded server of the project keeps its files. */
export function embeddedDirectory(): string {
  return join(projectDirectory(), '.data', 'postgres');
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
  const resolved = resolveDatabase(given, purpose);
  if (resolved) return resolved;
  const embedded = await EmbeddedPostgres.start({ directory: embeddedDirectory() });
  return { target: parseDatabaseUrl(embedded.url, 'embedded'), source: 'embedded', embedded };
}
