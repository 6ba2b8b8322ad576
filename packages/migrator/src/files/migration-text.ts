import { readFile } from 'node:fs/promises';
import { MigrationRefusedError } from '../session/errors.ts';
import type { MigrationFile } from './migration-files.ts';

/**
 * Returns the text of a migration: that of its file, or of its class.
 *
 * @throws MigrationRefusedError when the file can't be read.
 */
export async function textOf({ name, source }: Pick<MigrationFile, 'name' | 'source'>): Promise<string> {
  if (typeof source === 'string') return source;
  return readFile(source.path, 'utf8').catch((cause: unknown) => {
    throw new MigrationRefusedError(`${name} can't be read: ${source.path}`, { cause });
  });
}
