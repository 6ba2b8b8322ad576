import type { Migration } from '@mikro-orm/migrations';
import { MigrationRefusedError } from '../session/errors.ts';

// A declaration of the class's own, with a type or without, an assignment to it, and what compilers for older targets write:
// `define(Class, "replaces", […])`. Nothing else may come before the list, because a comment may have the word too.
const declaration =
  /\breplaces\b(?:["'`]\s*,(?:[^[\]]*\bvalue:)?|["'`]?\s*(?::(?:[^=;[\]()\n]|\[\])*)?=(?![=>]))\s*\[([^[\]]*)\]/;

/**
 * Returns the names in the static property `replaces` of a migration, as its text has them, so that its code does not have to run; none
 * without one. A list of literals keeps this form when it is compiled or minified. `requireReplaces` compares it with the class.
 */
export function replacesIn(text: string): readonly string[] {
  const [, list = ''] = declaration.exec(text) ?? [];
  return [...list.matchAll(/(["'`])((?:(?!\1)[^\\\n])+)\1/g)].map(([, , name = '']) => name);
}

/** Returns the static property `replaces` of a loaded class; none without one. */
export function replacesOf(Class: object): readonly string[] {
  const replaces: unknown = 'replaces' in Class ? Class.replaces : [];
  return Array.isArray(replaces) && replaces.every((name) => typeof name === 'string') ? replaces : [];
}

/**
 * Compares what a migration replaces by its text with its class.
 *
 * @throws MigrationRefusedError when they differ, as for a list that code computes.
 */
export function requireReplaces(name: string, instance: Migration, byText: readonly string[]): void {
  const found = replacesOf(instance.constructor);
  if (found.length === byText.length && found.every((one, index) => one === byText[index])) return;
  throw new MigrationRefusedError(
    `${name} replaces ${listed(found)}, but its text lists ${listed(byText)}: write static readonly replaces = ['…'], with the names as literals`,
  );
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'nothing' : names.join(', ');
}
