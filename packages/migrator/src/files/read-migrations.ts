import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { MikroORM } from '@mikro-orm/postgresql';
import { MigrationRefusedError } from '../session/errors.ts';
import { CodeMigration } from './code-migration.ts';
import { migrationFiles } from './migration-files.ts';
import { replacesIn } from './replaces.ts';

/**
 * Returns the migrations of the code, in the ORM's order. Reads their texts, and runs none of their code.
 *
 * @throws MigrationRefusedError when a file can't be read.
 */
export async function readMigrations(orm: MikroORM): Promise<CodeMigration[]> {
  const files = await migrationFiles(orm);
  const texts = await Promise.all(files.map(({ name, source }) => textOf(name, source)));
  const digests = texts.map((text) =>
    createHash('sha256').update(text.replaceAll(/\r\n?/g, '\n')).digest('hex'),
  );
  const counts = Map.groupBy(digests, (digest) => digest);
  return files.map((file, index) => {
    const digest = digests[index] ?? '';
    return new CodeMigration(orm, file, {
      textDigest: counts.get(digest)?.length === 1 ? digest : null,
      replaces: file.replaces ?? replacesIn(texts[index] ?? ''),
    });
  });
}

async function textOf(name: string, source: string | { readonly path: string }): Promise<string> {
  if (typeof source === 'string') return source;
  return readFile(source.path, 'utf8').catch((cause: unknown) => {
    throw new MigrationRefusedError(`${name} can't be read: ${source.path}`, { cause });
  });
}
