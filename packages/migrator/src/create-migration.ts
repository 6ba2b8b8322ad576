import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { Direction } from './files/code-migration.ts';
import { MigrationRefusedError } from './session/errors.ts';
import {
  isMigrationFile,
  migrationFiles,
  unlistedMigrations,
  withoutExtension,
} from './files/migration-files.ts';
import { writeNewFile } from './files/write-new-file.ts';
import { Migrator } from './migrator.ts';
import { IgnoredObjects } from './catalog/ignored-objects.ts';
import { withConfiguredOptions } from './comparison-options.ts';
import type { LeftOut } from './catalog/server-guard.ts';
import { readCatalog, type Catalog } from './catalog/catalog.ts';
import { withScratchDatabase, type ScratchOrigin } from './catalog/scratch-database.ts';
import { contentsOf, warningsIn } from './create/contents.ts';
import type { CreateOptions } from './create-options.ts';
import type { Finding } from './lint/observation/finding.ts';
import { prove, type Draft, type Proof } from './proof/prove.ts';
import type { Certificate } from './verify/certificate.ts';
import { newMigrationsDirectory, namingFor, type Naming } from './create/file/naming.ts';
import { filledColumns } from './safe-forms/filled-columns.ts';
import { isEquivalent, safeContents, type SafeContents } from './safe-forms/safe-contents.ts';
import { sourceOf, type Content } from './create/file/source.ts';
import { replacementContents } from './rename-column/replacement-contents.ts';

/** A migration that was written. */
export interface CreatedMigration {
  readonly name: string;
  readonly path: string;
  /** A migration that was written too, and runs before: it adds the values of native enums that this one uses. Usually none. */
  readonly preceding: readonly Pick<CreatedMigration, 'name' | 'path'>[];
  /** Migrations that were written too, and run after it: the parts that would block readers or writers in the same transaction. */
  readonly following: readonly Pick<CreatedMigration, 'name' | 'path'>[];
  /** What to check before it runs on rows; each warning is also in the file. */
  readonly warnings: readonly CreationWarning[];
  /** What `verify` finds of each file, in their order; empty where it was not asked for. */
  readonly certificates: readonly Certificate[];
  /** What `lint` finds. */
  readonly findings: readonly Finding[];
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
 * new migration there up, down and up again, and compares the result with the entities. The role must be allowed to create databases.
 *
 * Loses no values that `options` don't name: a table or column that no entity describes must be in `renames` or `drops`; a change of
 * type fails on rows whose value would change, unless the column is in `lossy`. What an entity can't describe, or may never have
 * described, stays; see `onKept`. A table that the entities have in another schema is moved. Two migrations are written where
 * one would use a value of a native enum that it adds. What would block readers or writers of an existing table while it is scanned or an
 * index is built takes a form that does not: constraints that are validated later, and indexes that are built concurrently, in migrations that
 * follow.
 *
 * Lints and verifies what it writes, before it is written: the files declare what they lose and refuse, and what else was found is in the
 * result.
 *
 * What `options.ignore` names is left out of the comparison.
 *
 * Writes to `migrations.path` (`pathTs` for TypeScript) a file named by `migrations.fileName`, in the language of `migrations.emit`,
 * which sorts last. A project with `migrationsList` has to add it there. Ignores the ORM's snapshot and `migrations.generator`.
 *
 * @throws UndecidedDropsError when `renames` and `drops` don't name everything whose values would be lost.
 * @throws MigrationRefusedError when `name` can't be part of a class's name, the directory has migrations that are not loaded, an option
 * names something that does not exist, or no statement is known for a change; and what `up` throws on the scratch database.
 */
export async function createMigration(
  orm: MikroORM,
  name: string,
  options: CreateOptions = {},
): Promise<CreatedMigration | null> {
  const { ignore, scratchUrl } = withConfiguredOptions(orm, options);
  const ignored = new IgnoredObjects(ignore);
  const directory = newMigrationsDirectory(orm);
  await mkdir(directory, { recursive: true });
  const known = (await migrationFiles(orm)).map((file) => file.name);
  await refuseUnreadMigrations(orm, directory, known);
  const naming = namingFor(orm, name, known.at(-1), new Date());
  const origin = { orm, schema, scratchUrl };
  const { contents, leftOut, catalog, filled } = await withScratchDatabase(origin, async (scratch, guard) => {
    await new Migrator(scratch, { onEvent: (event) => guard.follow(event) }).up();
    const source = { orm: scratch, schema, ignored };
    const made = (await replacementContents(source, options)) ?? (await contentsOf(source, options));
    return {
      contents: made,
      leftOut: guard.leftOut,
      catalog: await readCatalog(scratch, schema),
      filled: await filledColumns(scratch),
    };
  });
  const { migrations, kept } = contents;
  if (kept.length > 0) options.onKept?.(kept);
  const last = migrations.at(-1);
  if (!last) return null;
  const preceding = migrations.slice(0, -1);
  const safe = await verified(
    origin,
    preceding,
    last.apart ? null : await safeContents(last, filled),
    catalog,
  );
  const parts = [
    ...preceding.map((content) => ({ content, title: `${name}_values` })),
    ...(safe ? partsOf(safe, name) : [{ content: last, title: name }]),
  ];
  const drafts = draftsOf(orm, parts, known.at(-1));
  const { certificates, findings, declared } =
    options.verify === false
      ? unproven
      : await prove(orm, drafts, (project) => new Migrator(project, { ignore, scratchUrl }));
  const files = await Promise.all(
    drafts.map(async ({ naming: own, content }) => ({
      naming: own,
      text: await sourceOf(own, { ...content, declared: declared.get(own.name) ?? content.declared }),
    })),
  );
  const written = await writeAll(directory, files);
  const [main] = written.slice(preceding.length);
  return {
    name: main?.name ?? naming.name,
    path: main?.path ?? '',
    preceding: written.slice(0, preceding.length),
    following: written.slice(preceding.length + 1),
    warnings: parts
      .slice(preceding.length)
      .flatMap(({ content }) => warningsIn(content))
      .toSorted((a, b) => Number(a.direction === 'down') - Number(b.direction === 'down')),
    certificates,
    findings,
    leftOut,
  };
}

const unproven: Proof = { certificates: [], findings: [], declared: new Map() };

/** Returns safe forms that make the same schema; null where they don't, as some kinds of tables have no other form. */
async function verified(
  origin: ScratchOrigin,
  preceding: readonly Content[],
  safe: SafeContents | null,
  expected: Catalog,
): Promise<SafeContents | null> {
  if (!safe) return null;
  const contents = [...preceding, ...partsOf(safe, '').map(({ content }) => content)];
  const isSame = await withScratchDatabase(origin, async (scratch, guard) => {
    await new Migrator(scratch, { onEvent: (event) => guard.follow(event) }).up();
    return isEquivalent(scratch, schema, contents, expected);
  });
  return isSame ? safe : null;
}

interface Part {
  readonly content: Content;
  /** The title of the migration. */
  readonly title: string;
}

/** Returns the migrations of safe forms, in their order, the first with the name that was given. */
function partsOf(safe: SafeContents, name: string): Part[] {
  const suffixes = { main: '', concurrent: '_indexes', closing: '_validation' };
  return safe.map(({ part, content }, index) => ({
    content,
    title: index === 0 ? name : `${name}${suffixes[part]}`,
  }));
}

/** Returns migrations with names that sort one after the other, after `last`. */
function draftsOf(
  orm: MikroORM,
  parts: readonly Part[],
  last: string | undefined,
): (Draft & { readonly naming: Naming })[] {
  const drafts: (Draft & { readonly naming: Naming })[] = [];
  for (const { content, title } of parts) {
    const naming = namingFor(orm, title, drafts.at(-1)?.name ?? last, new Date());
    drafts.push({ name: naming.name, naming, content });
  }
  return drafts;
}

/** Writes all files or none. */
async function writeAll(
  directory: string,
  files: readonly { readonly naming: Naming; readonly text: string }[],
): Promise<{ readonly name: string; readonly path: string }[]> {
  const written: { name: string; path: string }[] = [];
  try {
    for (const { naming, text } of files) {
      const path = join(directory, naming.file);
      await writeNewFile(path, text);
      written.push({ name: naming.name, path });
    }
    return written;
  } catch (error) {
    for (const { path } of written) await rm(path);
    throw error;
  }
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
