import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SettingsError } from '../errors.ts';
import { decodeEnvironment, parseEnvironment, type EnvironmentFile } from './environment-text.ts';

/** The directory of the nearest `package.json` from the working directory up; the working directory when there is none. */
export function projectDirectory(): string {
  for (let directory = process.cwd(); ; directory = dirname(directory)) {
    if (existsSync(join(directory, 'package.json'))) return directory;
    if (directory === dirname(directory)) return process.cwd();
  }
}

/**
 * What the project's `.env` sets; nothing when there is no such file. `variables` are the ones that must not be misread.
 *
 * @throws SettingsError when it can't be read: a directory, a link to nothing, a file of another user.
 */
export function environmentFile(variables: readonly string[]): EnvironmentFile {
  const path = join(projectDirectory(), '.env');
  let bytes: Buffer;
  try {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return { values: {}, faults: {} };
    bytes = readFileSync(path);
  } catch (cause) {
    throw new SettingsError(`${path} can't be read`, { cause });
  }
  return parseEnvironment(decodeEnvironment(bytes), variables);
}
