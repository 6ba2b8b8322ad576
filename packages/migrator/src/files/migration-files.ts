import { readdir } from 'node:fs/promises';
import { basename, join, matchesGlob, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isNativeError } from 'node:util/types';
import { Utils } from '@mikro-orm/core';
import type { Migration } from '@mikro-orm/migrations';
import type { MikroORM } from '@mikro-orm/postgresql';
import { MigrationRefusedError } from '../session/errors.ts';
import type { MigrationClass } from './migration-class.ts';

/** A migration of the code. */
export interface MigrationFile {
  readonly name: string;
  /** Its file; for a class in the configuration's list, the text of the class. */
  readonly source: string | { readonly path: string };
  /** The class in the configuration's list; undefined for a file, whose class is not loaded. */
  readonly listed?: object;
  /** Returns a new instance. */
  make(): Promise<Migration>;
}

/**
 * Returns the migrations of the configuration in the ORM's order: that of its list, or of the paths of the files.
 *
 * @throws MigrationRefusedError when their directory can't be read, or two have one name.
 */
export async function migrationFiles(orm: MikroORM): Promise<MigrationFile[]> {
  const list = orm.config.get('migrations').migrationsList;
  const files = list ? list.map((entry) => listed(orm, entry)) : await inDirectory(orm);
  const names = new Set<string>();
  for (const { name } of files) {
    if (names.has(name))
      throw new MigrationRefusedError(`two migrations are named ${name}: rename or remove one`);
    names.add(name);
  }
  return files;
}

/** Returns the configuration's directory of migrations. */
export function migrationsDirectory(orm: MikroORM): string {
  const { path = './migrations', pathTs } = orm.config.get('migrations');
  const preferTs = orm.config.get('preferTs', Utils.detectTypeScriptSupport());
  return resolve(orm.config.get('baseDir'), preferTs && pathTs ? pathTs : path);
}

async function inDirectory(orm: MikroORM): Promise<MigrationFile[]> {
  const directory = migrationsDirectory(orm);
  const recursive = globOf(orm).includes('/');
  // By their types, it follows no links: a directory of packages may be one.
  const entries = await readdir(directory, { recursive, withFileTypes: true }).catch((cause: unknown) => {
    throw new MigrationRefusedError(`can't read the migrations in ${directory}: set migrations.path`, {
      cause,
    });
  });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .filter((file) => isMigrationFile(orm, file))
    .toSorted()
    .map((file) => {
      const path = resolve(directory, file);
      return {
        name: withoutExtension(basename(file)),
        source: { path },
        make: async () => instantiate(orm, await exportedClass(path)),
      };
    });
}

/** Whether a file is a migration, by its path in the directory of migrations. */
export function isMigrationFile(orm: MikroORM, file: string): boolean {
  return matchesGlob(file, globOf(orm));
}

function globOf(orm: MikroORM): string {
  const { glob = '!(*.d).{js,ts,cjs}' } = orm.config.get('migrations');
  return glob;
}

/**
 * Returns the files in `directory` with migrations that the configuration's list lacks; none without a list. Files that export no
 * migration, such as the list itself, are ignored.
 */
export async function unlistedMigrations(
  orm: MikroORM,
  directory = migrationsDirectory(orm),
): Promise<string[]> {
  const list = listOf(orm);
  if (!list) return [];
  const names = new Set((await migrationFiles(orm)).map(({ name }) => name));
  const classes = new Set<unknown>(list.map((entry) => ('class' in entry ? entry.class : entry)));
  const unlisted: string[] = [];
  for (const file of (await filesIn(directory)).filter((name) => isMigrationFile(orm, name))) {
    if (names.has(withoutExtension(file))) continue;
    const found = await exportedClass(resolve(directory, file)).catch(() => null);
    if (found !== null && !classes.has(found)) unlisted.push(file);
  }
  return unlisted;
}

/** Returns the files of a directory; none if it is missing, as in bundled code. */
async function filesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (cause) {
    if (isNativeError(cause) && 'code' in cause && cause.code === 'ENOENT') return [];
    throw new MigrationRefusedError(`can't read the migrations in ${directory}: set migrations.path`, {
      cause,
    });
  }
}

type Listed = NonNullable<ReturnType<typeof listOf>>[number];
function listOf(orm: MikroORM) {
  return orm.config.get('migrations').migrationsList;
}

function listed(orm: MikroORM, entry: Listed): MigrationFile {
  const Class = 'class' in entry ? entry.class : entry;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the ORM's type omits the parameters of the constructor
  const make = () => instantiate(orm, Class as MigrationClass);
  // A name in the class is that of its instances; the ORM reads it in the same way.
  const name = 'class' in entry ? entry.name : (make().name ?? Class.name);
  return {
    name: withoutExtension(name),
    source: String(Class),
    listed: Class,
    make: async () => make(),
  };
}

function instantiate(orm: MikroORM, Class: MigrationClass): Migration {
  return new Class(orm.em.getDriver(), orm.config);
}

async function exportedClass(path: string): Promise<MigrationClass> {
  const exported: object = await import(pathToFileURL(path).href);
  const found = Object.values(exported).find(isMigrationClass);
  if (!found)
    throw new MigrationRefusedError(
      `${path} exports no migration: export a class that extends Migration, such as ${withoutExtension(basename(path))}`,
    );
  return found;
}

// Not `instanceof`: the ORM's class may be loaded twice. Other exports may be functions too.
function isMigrationClass(value: unknown): value is MigrationClass {
  return typeof value === 'function' && typeof value.prototype?.up === 'function';
}

/** Returns a name without its extension, as most versions of the ORM log it. */
export function withoutExtension(name: string): string {
  return name.replace(/\.(?:ts|js)$/, '');
}
