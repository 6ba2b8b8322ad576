import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseEnv } from 'node:util';
import { SettingsError } from '../errors.ts';

/** The directory of the nearest `package.json` from the working directory up; the working directory when there is none. */
export function projectDirectory(): string {
  for (let directory = process.cwd(); ; directory = dirname(directory)) {
    if (existsSync(join(directory, 'package.json'))) return directory;
    if (directory === dirname(directory)) return process.cwd();
  }
}

/**
 * The variables of the project's `.env`; none when there is no such file.
 *
 * @throws SettingsError when it can't be read.
 */
export function environmentFile(): NodeJS.Dict<string> {
  const path = join(projectDirectory(), '.env');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    // Only its absence is normal.
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return {};
    throw new SettingsError(`${path} can't be read`, { cause });
  }
  return parseEnvironmentFile(text);
}

/** What a `.env` says. A comment begins at the start of a line, or behind a space. */
export function parseEnvironmentFile(text: string): NodeJS.Dict<string> {
  // Windows editors put a mark before the first name, which would be a part of it.
  const values = parseEnv(text.replace(/^\uFEFF/, ''));
  // Node ends an unquoted value at any "#": of a URL whose password holds one, it would leave a URL of another host.
  for (const [, name = '', value = ''] of text.matchAll(
    /^\uFEFF?[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=[ \t]*([^\s'"`#]\S*#\S*)/gm,
  )) {
    if (values[name] !== undefined && value.startsWith(values[name])) values[name] = value;
  }
  return values;
}
