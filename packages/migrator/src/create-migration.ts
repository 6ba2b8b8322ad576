import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { MikroORM } from '@mikro-orm/postgresql';
import { describeEntityDifference } from './catalog/differences.ts';
import { changesNothing, compareEntities } from './entities/entity-differences.ts';
import type { Direction } from './files/code-migration.ts';
import { MigrationRefusedError } from './session/errors.ts';
import {
  isMigrationFile,
  migrationFiles,
  unlistedMigrations,
  withoutExtension,
} from './files/migration-files.ts';
import { Migrator } from './migrator.ts';
import { IgnoredObjects } from './catalog/ignored-objects.ts';
import { withConfiguredOptions, type ComparisonOptions } from './comparison-options.ts';
import type { LeftOut } from './catalog/server-guard.ts';
import { withScratchDatabase } from './catalog/scratch-database.ts';
import { compare, describedSchema, readSchema, toStatements } from './create/difference.ts';
import { newMigrationsDirectory, namingFor } from './create/naming.ts';
import { sourceOf, type Content, type Method } from './create/source.ts';
import { runTrial } from './create/trial.ts';
import { writeNewFile } from './create/write-new-file.ts';
import { lockedTables, lossesOf, renamesOf, summaryOf, warningsOf, type Warning } from './create/warnings.ts';

/** A migration that was written. */
export interface CreatedMigration {
  readonly name: string;
  readonly path: string;
  /** What to check before it runs on rows; each warning is also in the file. */
  readonly warnings: readonly CreationWarning[];
  /** Statements of earlier migrations that the scratch database did not receive. */
  readonly leftOut: readonly LeftOut[];
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
 * What `options.ignore` names is left out of the comparison.
 *
 * Writes to `migrations.path` (`pathTs` for TypeScript) a file named by `migrations.fileName`, in the language of `migrations.emit`,
 * which sorts last. A project with `migrationsList` has to add it there. Ignores the ORM's snapshot and `migrations.generator`.
 *
 * @throws MigrationRefusedError when `name` can't be part of a class's name, or the directory has migrations that are not loaded; and what `up`
 * throws on the scratch database.
 */
export async function createMigration(
  orm: MikroORM,
  name: string,
  options: ComparisonOptions = {},
): Promise<CreatedMigration | null> {
  const { ignore, scratchUrl } = withConfiguredOptions(orm, options);
  const ignored = new IgnoredObjects(ignore);
  const directory = newMigrationsDirectory(orm);
  await mkdir(directory, { recursive: true });
  const known = (await migrationFiles(orm)).map((file) => file.name);
  await refuseUnreadMigrations(orm, directory, known);
  const naming = namingFor(orm, name, known.at(-1), new Date());
  const { content, leftOut } = await withScratchDatabase(
    { orm, schema, scratchUrl },
    async (scratch, guard) => {
      await new Migrator(scratch, { onEvent: (event) => guard.follow(event) }).up();
      const made = await contentOf(scratch, ignored);
      if (made === null) await refuseUnwritable(scratch, ignored);
      return { content: made, leftOut: guard.leftOut };
    },
  );
  if (content === null) return null;
  const path = join(directory, naming.file);
  await writeNewFile(path, await sourceOf(naming, content));
  const warnings = (['up', 'down'] as const).flatMap((direction) =>
    messagesOf(content[direction]).map((message) => ({ direction, message })),
  );
  return { name: naming.name, path, warnings, leftOut };
}

// The changes of a migration that is not built or listed would be written again.
async function refuseUnreadMigrations(
  orm: MikroORM,
  directory: string,
  known: readonly string[],
): Promise<void> {
  const [unlisted] = await unlistedMigrations(orm, directory);
  if (unlisted !== undefined) {
    throw new MigrationRefusedError(
      `${unlisted} is not listed: add it to the list of migrations before another is created`,
    );
  }
  if (orm.config.get('migrations').migrationsList) return;
  const files = (await readdir(directory)).filter((file) => isMigrationFile(orm, file));
  const unread = files.find((file) => !known.includes(withoutExtension(file)));
  if (unread === undefined) return;
  throw new MigrationRefusedError(
    `${unread} is not among the loaded migrations: build it before another is created`,
  );
}

// The ORM's comparison is not PostgreSQL's: it finds no statement for some differences.
async function refuseUnwritable(scratch: MikroORM, ignored: IgnoredObjects): Promise<void> {
  const { differing } = await compareEntities(scratch, schema, ignored);
  if (differing.length === 0) return;
  throw new MigrationRefusedError(
    'entities and migrations differ, but the ORM finds no statement for it: write a migration by hand, or correct the entity:\n' +
      differing.map((one) => `  ${describeEntityDifference(one)}`).join('\n'),
  );
}

async function contentOf(orm: MikroORM, ignored: IgnoredObjects): Promise<Content | null> {
  const [from, to] = [await readSchema(orm, ignored), describedSchema(orm, ignored)];
  const forward = compare(orm, from, to);
  const backward = compare(orm, to, from, forward);
  const warnings = { up: [...renamesOf(forward), ...warningsOf(forward)], down: warningsOf(backward) };
  const [losses, locked, summary] = [lossesOf(backward), lockedTables(forward), summaryOf(forward)];
  const [up, down] = [await toStatements(orm, forward), await toStatements(orm, backward)];
  if (up.length === 0 || (await changesNothing(orm, schema, up))) return null;
  const trial = await runTrial(orm, { schema, ignored }, up, down);
  return {
    up: annotate(up, warnings.up, trial.up),
    down: annotate(down, warnings.down, trial.down),
    summary,
    locked,
    losses,
  };
}

/** Adds each warning to the first statement that it concerns; to the whole direction if it concerns none. */
function annotate(
  statements: readonly string[],
  warnings: readonly Warning[],
  problems: readonly string[],
): Method {
  const placed = warnings.map(({ message, about }) => ({
    message,
    at: statements.findIndex((sql) => about.every((part) => sql.includes(part))),
  }));
  const messagesAt = (index: number) => placed.filter(({ at }) => at === index).map(({ message }) => message);
  return {
    notes: [...problems, ...messagesAt(-1)],
    statements: statements.map((sql, index) => ({ sql, notes: messagesAt(index) })),
  };
}

function messagesOf({ notes, statements }: Method): string[] {
  return [...notes, ...statements.flatMap((statement) => statement.notes)];
}
