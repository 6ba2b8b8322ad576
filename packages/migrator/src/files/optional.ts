import type { Migration } from '@mikro-orm/migrations';
import { isNativeError } from 'node:util/types';
import { MigrationRefusedError } from '../session/errors.ts';
import type { MigrationFile } from './migration-files.ts';
import { reasonIn } from './reason-in.ts';

/**
 * Returns why one would want a migration that not every database has, its `static optional`; null for any other. The class decides: a file is
 * imported, but only where its text has that word. One that can't be imported is not optional here: to load it says why it can't be.
 *
 * @throws MigrationRefusedError when it declares no reason.
 */
export async function optionalIn(file: MigrationFile, text: string): Promise<string | null> {
  const Class = file.listed ?? (/\boptional\b/.test(text) ? await importedClass(file) : null);
  return Class && optionalOf(file.name, Class);
}

/**
 * Compares whether a loaded migration is optional with what its text says.
 *
 * @throws MigrationRefusedError when they differ, as where it inherits the property.
 */
export function requireOptional(name: string, instance: Migration, byText: string | null): void {
  if (optionalOf(name, instance.constructor) === byText) return;
  throw new MigrationRefusedError(
    `${name} is optional by a class that it extends: write static readonly optional = 'why' in its own class`,
  );
}

async function importedClass(file: MigrationFile): Promise<object | null> {
  return file.make().then(
    (instance) => instance.constructor,
    () => null,
  );
}

function optionalOf(name: string, Class: object): string | null {
  try {
    return reasonIn(Class, 'optional');
  } catch (cause) {
    throw new MigrationRefusedError(`${name}: ${isNativeError(cause) ? cause.message : String(cause)}`, {
      cause,
    });
  }
}
