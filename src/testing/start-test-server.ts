import { SettingsError } from '../errors.ts';
import { parseDatabaseUrl } from '../settings/database-url.ts';
import { startContainerServer } from './start-container-server.ts';
import { startEmbeddedServer } from './start-embedded-server.ts';
import type { RunningServer } from './running-server.ts';

/**
 * Starts the server that the environment selects: the one at `TEST_DATABASE_URL`; with `TEST_POSTGRES=container`, a container; otherwise an
 * embedded one.
 *
 * @throws SettingsError, EmbeddedPostgresError
 */
export async function startTestServer(environment: NodeJS.ProcessEnv): Promise<RunningServer> {
  const { TEST_DATABASE_URL: url, TEST_POSTGRES: kind, POSTGRES_IMAGE: image } = environment;
  const major = requestedMajor(environment);
  if (url !== undefined) {
    const { label } = parseDatabaseUrl(url, 'TEST_DATABASE_URL');
    return { kind: 'given', url, origin: `TEST_DATABASE_URL, ${label}`, stop: async () => {} };
  }
  if (kind === 'container') return startContainerServer(image || `postgres:${major ?? 18}`);
  if (!kind || kind === 'embedded') return startEmbeddedServer(major);
  throw new SettingsError(
    `TEST_POSTGRES is "${kind}"; set TEST_POSTGRES=container, or unset it to use the embedded server`,
  );
}

/**
 * Returns the major version of `PG_MAJOR`; undefined when it is unset.
 *
 * @throws SettingsError when it is not a number.
 */
export function requestedMajor({ PG_MAJOR: major }: NodeJS.ProcessEnv): number | undefined {
  if (!major) return undefined;
  if (!/^\d+$/.test(major))
    throw new SettingsError(`PG_MAJOR is "${major}"; expected a major version, for example PG_MAJOR=18`);
  return Number(major);
}
