import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { Direction } from './files/emitted-migration.ts';
import { RefusedError } from './session/errors.ts';
import {
  isMigrationFile,
  migrationFiles,
  unlistedMigrations,
  withoutExtension,
} from './files/migration-files.ts';
import { Migrator } from './migrator.ts';
import { withScratchDatabase } from './catalog/scratch-database.ts';
import { compare, describedSchema, readSchema, toStatements } from './create/difference.ts';
import { newMigrationsDirectory, namingFor } from './create/naming.ts';
import { sourceOf, type Content, type Method } from './create/source.ts';
import { tryOut } from './create/trial.ts';
import { lockedTables, lossesOf, renamesOf, summaryOf, warningsOf, type Warning } from './create/warnings.ts';

/** A migration that was written. */
export interface CreatedMigration {
  readonly name: string;
  readonly path: string;
  /** What to check before it runs on rows; each warning is also in the file. */
  readonly warnings: readonly CreationWarning[];
}

/** A decision that is left to the author of a migration. */
export interface CreationWarning {
  readonly direction: Direction;
  readonly message: string;
}

const schema = 'migrator';

/**
 * Writes a migration from the schema of the migrations to that of the entities, and returns it; null when they agree. Compares on a
 * scratch database of the same server, created by the migrations and dropped at the end, independent of the connected database. Runs the
 * new migration there, in both directions. The role must be allowed to create databases.
 *
 * It goes where `migrations.path` says (`pathTs` for TypeScript), named by `migrations.fileName`, in the language of
 * `migrations.emit`, and sorts last. A project that lists its migrations has to list it. Neither the ORM's snapshot nor
 * `migrations.generator` has a part in it.
 *
 * @throws RefusedError when `name` can't be part of a class's name, or the directory has migrations that are not loaded; and what `up`
 * throws on the scratch database.
 */
export async function createMigration(orm: MikroORM, name: string): Promise<CreatedMigration | null> {
  const directory = newMigrationsDirectory(orm);
  await mkdir(directory, { recursive: true });
  const known = (await migrationFiles(orm)).map((file) => file.name);
  await mustBeRead(orm, directory, known);
  const naming = namingFor(orm, name, known.at(-1), new Date());
  const content = await withScratchDatabase(orm, schema, async (scratch) => {
    await new Migrator(scratch).up();
    return contentOf(scratch);
  });
  if (content === null) return null;
  const path = join(directory, naming.file);
  await writeWhole(path, await sourceOf(naming, content));
  const warnings = (['up', 'down'] as const).flatMap((direction) =>
    messagesOf(content[direction]).map((message) => ({ direction, message })),
  );
  return { name: naming.name, path, warnings };
}

/** Writes a whole file or none: a partial file would be loaded as a migration. */
async function writeWhole(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(text);
  } catch (error) {
    await rm(path);
    throw error;
  } finally {
    await file.close();
  }
}

// The changes of a migration that is not built or listed yet would be written again.
async function mustBeRead(orm: MikroORM, directory: string, known: readonly string[]): Promise<void> {
  const [unlisted] = await unlistedMigrations(orm, directory);
  if (unlisted !== undefined) {
    throw new RefusedError(
      `${unlisted} is not listed: add it to the list of migrations before another is created`,
    );
  }
  if (orm.config.get('migrations').migrationsList) return;
  const files = (await readdir(directory)).filter((file) => isMigrationFile(orm, file));
  const unread = files.find((file) => !known.includes(withoutExtension(file)));
  if (unread === undefined) return;
  throw new RefusedError(
    `${unread} is not among the migrations that are read: build it before another is created`,
  );
}

async function contentOf(orm: MikroORM): Promise<Content | null> {
  const [from, to] = [await readSchema(orm), describedSchema(orm)];
  const there = compare(orm, from, to);
  const back = compare(orm, to, from, there);
  const warnings = { up: [...renamesOf(there), ...warningsOf(there)], down: warningsOf(back) };
  const [losses, locked, summary] = [lossesOf(back), lockedTables(there), summaryOf(there)];
  const [up, down] = [await toStatements(orm, there), await toStatements(orm, back)];
  if (up.length === 0) return null;
  const tried = await tryOut(orm, schema, up, down);
  return {
    up: noted(up, warnings.up, tried.up),
    down: noted(down, warnings.down, tried.down),
    summary,
    locked,
    losses,
  };
}

/** Puts each warning above the first statement that it is about; above all of them when it is about none. */
function noted(
  statements: readonly string[],
  warnings: readonly Warning[],
  tried: readonly string[],
): Method {
  const placed = warnings.map(({ message, about }) => ({
    message,
    at: statements.findIndex((sql) => about.every((part) => sql.includes(part))),
  }));
  const messagesAt = (index: number) => placed.filter(({ at }) => at === index).map(({ message }) => message);
  return {
    notes: [...tried, ...messagesAt(-1)],
    statements: statements.map((sql, index) => ({ sql, notes: messagesAt(index) })),
  };
}

function messagesOf({ notes, statements }: Method): string[] {
  return [...notes, ...statements.flatMap((statement) => statement.notes)];
}
