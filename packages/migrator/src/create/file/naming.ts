import { findPackageJSON } from 'node:module';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { MikroORM } from '@mikro-orm/postgresql';
import { MigrationRefusedError } from '../../session/errors.ts';

/** The language of a created migration. */
type Form = 'typescript' | 'module' | 'commonjs';

/** The names of a created migration. */
export interface Naming {
  readonly file: string;
  /** The file's name without its extension, by which it is applied. */
  readonly name: string;
  readonly className: string;
  readonly form: Form;
}

/** Returns the configuration's directory for new migrations. */
export function newMigrationsDirectory(orm: MikroORM): string {
  const { emit = 'ts', path = './migrations', pathTs } = orm.config.get('migrations');
  return resolve(orm.config.get('baseDir'), (emit === 'ts' && pathTs) || path);
}

/**
 * Returns the names of a migration that sorts last, even if the clock is behind the last one's.
 *
 * @throws MigrationRefusedError when the name can't be part of a class's, or the file would not sort last.
 */
export function namingFor(orm: MikroORM, title: string, last: string | undefined, now: Date): Naming {
  refuseTitle(title);
  const nameAt = (time: string) => nameOf(orm, title, time);
  let time = timestamp(now);
  if (last !== undefined && nameAt(time) <= last) time = secondAfter(last) ?? time;
  const name = nameAt(time);
  if (last !== undefined && name <= last) {
    throw new MigrationRefusedError(
      `${name} would not sort after ${last}: let migrations.fileName begin with the time`,
    );
  }
  return named(orm, title, time);
}

/**
 * Returns the names of a squash that ends with the migration `last`: with its time, so that it sorts before the ones after it.
 *
 * @throws MigrationRefusedError when the name can't be part of a class's, or a migration has it already.
 */
export function squashNaming(orm: MikroORM, title: string, last: string, names: readonly string[]): Naming {
  refuseTitle(title);
  const [time = timestamp(new Date())] = /\d{14}/.exec(last) ?? [];
  const naming = named(orm, title, time);
  if (!names.includes(naming.name)) return naming;
  throw new MigrationRefusedError(`there is a migration ${naming.name} already: choose another --name`);
}

function refuseTitle(title: string): void {
  if (/^[A-Za-z][A-Za-z0-9_]{0,199}$/.test(title)) return;
  throw new MigrationRefusedError(
    `"${title.slice(0, 200)}" can't name a migration: use up to 200 letters, digits and underscores, such as add_tags`,
  );
}

function nameOf(orm: MikroORM, title: string, time: string): string {
  return orm.config.get('migrations').fileName?.(time, title) ?? `Migration${time}_${title}`;
}

function named(orm: MikroORM, title: string, time: string): Naming {
  const { emit = 'ts' } = orm.config.get('migrations');
  const name = nameOf(orm, title, time);
  return {
    file: `${name}.${emit}`,
    name,
    className: orm.config.getNamingStrategy().classToMigrationName(time, title),
    form:
      emit === 'ts'
        ? 'typescript'
        : emit === 'js' && isOfModules(newMigrationsDirectory(orm))
          ? 'module'
          : 'commonjs',
  };
}

function timestamp(date: Date): string {
  return date.toISOString().replaceAll(/\D/g, '').slice(0, 14);
}

function secondAfter(name: string): string | undefined {
  const [, year, month, day, hour, minute, second] =
    /(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(name)?.map(Number) ?? [];
  if (!year || !month) return undefined;
  return timestamp(new Date(Date.UTC(year, month - 1, day, hour, minute, (second ?? 0) + 1)));
}

/** Whether a `.js` file there is an ECMAScript module. */
function isOfModules(directory: string): boolean {
  const found = findPackageJSON(pathToFileURL(`${directory}/`));
  if (found === undefined) return false;
  const described: unknown = JSON.parse(readFileSync(found, 'utf8'));
  return (
    typeof described === 'object' && described !== null && 'type' in described && described.type === 'module'
  );
}
