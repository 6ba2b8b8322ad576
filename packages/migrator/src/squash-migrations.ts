import { mkdir, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { isNativeError } from 'node:util/types';
import type { MikroORM } from '@mikro-orm/postgresql';
import { IgnoredObjects } from './catalog/ignored-objects.ts';
import type { LeftOut } from './catalog/server-guard.ts';
import { withConfiguredOptions, type ComparisonOptions } from './comparison-options.ts';
import { newMigrationsDirectory, squashNaming } from './create/file/naming.ts';
import {
  isMigrationFile,
  migrationFiles,
  migrationsDirectory,
  withoutExtension,
  type MigrationFile,
} from './files/migration-files.ts';
import type { CodeMigration } from './files/code-migration.ts';
import { readMigrations } from './files/read-migrations.ts';
import { writeNewFile } from './files/write-new-file.ts';
import { Migrator } from './migrator.ts';
import { upTarget } from './plan/targets.ts';
import { MigrationRefusedError } from './session/errors.ts';
import { groupsOf, isTransactional, recordMigrations, settingsOfAll } from './squash/recorded-migration.ts';
import { squashSource, type SquashContent } from './squash/source.ts';
import { verifySquash } from './squash/verify-squash.ts';

/** Which migrations to squash. */
export interface SquashRequest extends ComparisonOptions {
  /** The last one: its name, or a beginning that no other has. All before it are squashed too. */
  readonly to: string;
  /** What the squash is named, after the time of the last one. Default `squash`. */
  readonly name?: string | undefined;
}

/** A squash that was written. */
export interface Squash {
  readonly name: string;
  readonly path: string;
  /** The names of the migrations that it replaces, oldest first. */
  readonly replaces: readonly string[];
  /** The paths of their files, which were deleted. */
  readonly deleted: readonly string[];
  /** Whether it has a `down`: each of its migrations has one that only adds statements. */
  readonly reversible: boolean;
  /** Columns whose values differ each time the migrations run, such as times, so that they were not compared: `schema.table.column`. */
  readonly notCompared: readonly string[];
  /** Statements that the scratch databases did not receive. */
  readonly leftOut: readonly LeftOut[];
}

const schema = 'migrator';

/**
 * Replaces the migrations up to one by a single migration that sends the same statements, and returns it. First compares both on scratch
 * databases, in each direction: the schema, and the rows that they insert. Then writes the squash and deletes the files of the others. A
 * database that has all of them records the squash in their place at the next `up`; a new one runs it; `up` refuses one that has a part of
 * them. Changes nothing in the connected database.
 *
 * A project with `migrationsList` has to change the list. The role must be allowed to create databases.
 *
 * @throws MigrationRefusedError when a migration is optional or does more than add statements, timeouts differ, or the results do; nothing is written then. MigratorError
 * `failed` when a migration fails on the scratch database.
 */
export async function squashMigrations(
  orm: MikroORM,
  { to, name: title = 'squash', ...options }: SquashRequest,
): Promise<Squash> {
  const { ignore, scratchUrl } = withConfiguredOptions(orm, options);
  const [files, migrations] = [await migrationFiles(orm), await readMigrations(orm)];
  const names = files.map(({ name }) => name);
  const last = upTarget(to, names, names);
  const chosen = migrations.slice(0, names.indexOf(last) + 1);
  if (chosen.length < 2)
    throw new MigrationRefusedError(`${last} is the first migration: a squash needs at least two`);
  refuseOptional(chosen);
  refuseUnquotable(chosen.map(({ name }) => name));
  const naming = squashNaming(orm, title, last, names);
  const path = join(directoryFor(orm, files[chosen.length - 1]), naming.file);
  refuseDisorder(orm, path, files[chosen.length]);

  const recorded = await recordMigrations(await Promise.all(chosen.map((migration) => migration.load())));
  const content: SquashContent = {
    replaces: chosen.map(({ name }) => name),
    transactional: isTransactional(recorded),
    settings: settingsOfAll(recorded),
    up: groupsOf(recorded, 'up') ?? [],
    down: groupsOf(recorded, 'down'),
  };
  const report = await verifySquash({
    orm,
    schema,
    scratchUrl,
    ignored: new IgnoredObjects(ignore),
    migratorOf: (scratch, onEvent) => new Migrator(scratch, { onEvent }),
    name: naming.name,
    content,
  });

  const former = await pathsOf(orm, files.slice(0, chosen.length));
  await mkdir(dirname(path), { recursive: true });
  await writeNewFile(path, squashSource(naming, content));
  for (const file of former) await rm(file);
  return {
    name: naming.name,
    path,
    replaces: content.replaces,
    deleted: former,
    reversible: content.down !== null,
    ...report,
  };
}

// A squash is applied everywhere.
function refuseOptional(chosen: readonly CodeMigration[]): void {
  const found = chosen.find(({ optional }) => optional !== null);
  if (found)
    throw new MigrationRefusedError(
      `${found.name} is optional, and a squash would apply it everywhere: choose an older --to, or first move it behind ${chosen.at(-1)?.name}, ` +
        `under a later name and with static replaces = ['${found.name}']`,
    );
}

// They become literals, which are read from the text.
function refuseUnquotable(names: readonly string[]): void {
  const unfit = names.find((name) => /['"`[\]\\\n]/.test(name));
  if (unfit !== undefined)
    throw new MigrationRefusedError(
      `${unfit} can't be listed in a squash: rename it without quotes and brackets`,
    );
}

/** Returns the directory of the squash: that of the last file, which may be a folder, among the sources. */
function directoryFor(orm: MikroORM, last: MigrationFile | undefined): string {
  const sources = newMigrationsDirectory(orm);
  return typeof last?.source === 'object'
    ? resolve(sources, relative(migrationsDirectory(orm), dirname(last.source.path)))
    : sources;
}

// Files run in the order of their paths.
function refuseDisorder(orm: MikroORM, path: string, next: MigrationFile | undefined): void {
  if (typeof next?.source !== 'object') return;
  const [one, other] = [
    withoutExtension(relative(newMigrationsDirectory(orm), path)),
    withoutExtension(relative(migrationsDirectory(orm), next.source.path)),
  ];
  if (one < other) return;
  throw new MigrationRefusedError(
    `${basename(one)} would not sort before ${next.name}: choose another --name`,
  );
}

/** Returns the paths of the files of migrations: their sources, and what was built of them. */
async function pathsOf(orm: MikroORM, files: readonly MigrationFile[]): Promise<string[]> {
  const [sources, loaded] = [newMigrationsDirectory(orm), migrationsDirectory(orm)];
  const paths = new Set<string>();
  for (const { name, source } of files) {
    const isFile = typeof source === 'object';
    if (isFile) paths.add(source.path);
    const directory = isFile ? resolve(sources, relative(loaded, dirname(source.path))) : sources;
    for (const file of await readdir(directory).catch(none))
      if (withoutExtension(file) === name && isMigrationFile(orm, relative(sources, join(directory, file))))
        paths.add(join(directory, file));
  }
  return [...paths];
}

function none(error: unknown): string[] {
  if (isNativeError(error) && 'code' in error && error.code === 'ENOENT') return [];
  throw error;
}
