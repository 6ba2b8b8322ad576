import { createHash } from 'node:crypto';
import type { MikroORM } from '@mikro-orm/postgresql';
import { CodeMigration } from './code-migration.ts';
import { migrationFiles } from './migration-files.ts';
import { textOf } from './migration-text.ts';
import { optionalIn } from './optional.ts';
import { replacesIn, replacesOf } from './replaces.ts';

/**
 * Returns the migrations of the code, in the ORM's order. Reads their texts, and imports those that may be optional; calls none of them.
 *
 * @throws MigrationRefusedError when a file can't be read, or an optional one declares no reason.
 */
export async function readMigrations(orm: MikroORM): Promise<CodeMigration[]> {
  const files = await migrationFiles(orm);
  const texts = await Promise.all(files.map(textOf));
  const digests = texts.map((text) =>
    createHash('sha256').update(text.replaceAll(/\r\n?/g, '\n')).digest('hex'),
  );
  const optional = await Promise.all(files.map((file, index) => optionalIn(file, texts[index] ?? '')));
  const counts = Map.groupBy(digests, (digest) => digest);
  return files.map((file, index) => {
    const digest = digests[index] ?? '';
    return new CodeMigration(orm, file, {
      textDigest: counts.get(digest)?.length === 1 ? digest : null,
      replaces: file.listed ? replacesOf(file.listed) : replacesIn(texts[index] ?? ''),
      optional: optional[index] ?? null,
    });
  });
}
