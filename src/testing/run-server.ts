import { SettingsError } from '../errors.ts';
import { parseDatabaseUrl } from '../settings/database-url.ts';
import { containerServer } from './container-server.ts';
import { embeddedServer } from './embedded-server.ts';
import type { RunningServer } from './running-server.ts';

/**
 * The server that the environment asks for: the one at `TEST_DATABASE_URL`; else a container's with `TEST_POSTGRES=container`; else
 * the embedded one.
 *
 * @throws SettingsError, EmbeddedPostgresError
 */
export async function runServer(environment: NodeJS.ProcessEnv): Promise<RunningServer> {
  const { TEST_DATABASE_URL: url, TEST_POSTGRES: kind, POSTGRES_IMAGE: image } = environment;
  const major = wantedMajor(environment);
  if (url !== undefined) {
    const { label } = parseDatabaseUrl(url, 'TEST_DATABASE_URL');
    return { kind: 'given', url, origin: `TEST_DATABASE_URL, ${label}`, stop: async () => {} };
  }
  if (kind === 'container') return containerServer(image || `postgres:${major ?? 18}`);
  if (!kind || kind === 'embedded') return embeddedServer(major);
  throw new SettingsError(
    `TEST_POSTGRES is "${kind}"; write TEST_POSTGRES=container, or leave it out for the embedded server`,
  );
}

/** The major version that `PG_MAJOR` asks for. */
export function wantedMajor({ PG_MAJOR: major }: NodeJS.ProcessEnv): number | undefined {
  if (!major) return undefined;
  if (!/^\d+$/.test(major)) throw new SettingsError(`PG_MAJOR is "${major}"; write PG_MAJOR=18, for example`);
  return Number(major);
}
