import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseEnv } from 'node:util';
import { SettingsError } from '../errors.ts';
import { parseDatabaseUrl, type DatabaseTarget } from './database-url.ts';

/** What to connect to, and who said so. */
export interface ResolvedDatabase {
  readonly target: DatabaseTarget;
  /** `argument`, or the variable's name with `(.env)` behind it when it came from the file. */
  readonly source: string;
}

/** What a database is wanted for; migrations may need a way around a pooler. */
export type Purpose = 'application' | 'migrations';

/**
 * The database that was asked for: an explicit URL, else the environment, else the `.env` file of the project. Migrations look at
 * `MIGRATION_DATABASE_URL` before `DATABASE_URL`. Null when nobody said. Opens nothing.
 *
 * @throws SettingsError when what was said can't be used.
 */
export function resolveDatabase(
  given: { url?: string | undefined },
  purpose: Purpose,
  environment: NodeJS.ProcessEnv = process.env,
): ResolvedDatabase | null {
  if (given.url !== undefined) return { target: parseDatabaseUrl(given.url, 'url'), source: 'argument' };
  const names = purpose === 'migrations' ? ['MIGRATION_DATABASE_URL', 'DATABASE_URL'] : ['DATABASE_URL'];
  // All of the environment comes before all of the file, so that a variable set for one command is never overruled by the file.
  for (const [values, suffix] of [
    [environment, ''],
    [environmentFile(), ' (.env)'],
  ] as const) {
    for (const name of names) {
      const url = values[name];
      if (url !== undefined && url !== '')
        return { target: parseDatabaseUrl(url, name), source: `${name}${suffix}` };
    }
  }
  return null;
}

/** The directory of the nearest `package.json` from the working directory up; the working directory when there is none. */
export function projectDirectory(): string {
  for (let directory = process.cwd(); ; directory = dirname(directory)) {
    if (existsSync(join(directory, 'package.json'))) return directory;
    if (directory === dirname(directory)) return process.cwd();
  }
}

function environmentFile(): NodeJS.Dict<string> {
  const path = join(projectDirectory(), '.env');
  try {
    return parseEnv(readFileSync(path, 'utf8'));
  } catch (cause) {
    // Only its absence is normal.
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return {};
    throw new SettingsError(`${path} can't be read`, { cause });
  }
}
