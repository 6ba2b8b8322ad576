import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SettingsError } from '../errors.ts';
import { parseEnvironment, type EnvironmentFile } from './parse-environment.ts';

/** Returns the directory of the nearest `package.json` from the working directory up; the working directory when no parent has one. */
export function projectDirectory(): string {
  for (let directory = process.cwd(); ; directory = dirname(directory)) {
    if (existsSync(join(directory, 'package.json'))) return directory;
    if (directory === dirname(directory)) return process.cwd();
  }
}

/**
 * Reads the project's `.env`; returns no values when the file does not exist. A line that seems to set one of `variables` is either read
 * or reported as a fault.
 *
 * @throws SettingsError when the file exists and can't be read: a directory, a dangling link, a file of another user.
 */
export function readEnvironmentFile(variables: readonly string[]): EnvironmentFile {
  const path = join(projectDirectory(), '.env');
  let content: string;
  try {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return { values: {}, faults: {} };
    // Invalid bytes become U+FFFD. The decoder removes a byte order mark.
    content = new TextDecoder().decode(readFileSync(path));
  } catch (cause) {
    throw new SettingsError(`${path} can't be read; make it a readable file, or delete it`, { cause });
  }
  return parseEnvironment(content, variables);
}
