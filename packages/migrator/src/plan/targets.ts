import { nearestName, MigrationRefusedError } from '../session/errors.ts';
import type { State } from '../ledger/state.ts';

/**
 * Returns the migration that a target of `up` means: its name, the only one that begins with the text (with or without `Migration`), or `+2`,
 * the second that is pending.
 *
 * @throws MigrationRefusedError when no migration is meant, or several are.
 */
export function upTarget(target: string, names: readonly string[], pending: readonly string[]): string {
  const [, count] = /^\+(\d+)$/.exec(target) ?? [];
  if (count === undefined) return findNamed(target, names) ?? refuseUnknown(target, names);
  const found = pending[Number(count) - 1];
  if (found !== undefined) return found;
  throw new MigrationRefusedError(`${target} is no target: ${pending.length} migrations are pending`);
}

/**
 * Returns the migration that a target of `down` means, the last one to keep: its name, the only one that begins with the text, or `-2`, which
 * reverts two.
 *
 * @throws MigrationRefusedError when no migration is meant, or several are.
 */
export function downTarget(target: string, applied: readonly string[], { migrations }: State): string {
  const [, count] = /^-(\d+)$/.exec(target) ?? [];
  if (count !== undefined) {
    const found = Number(count) > 0 ? applied.at(-1 - Number(count)) : undefined;
    if (found !== undefined) return found;
    throw new MigrationRefusedError(
      `${target} is no target: ${applied.length} migrations are applied; \`all\` reverts every one`,
    );
  }
  const names = migrations.map(({ name }) => name);
  const found = findNamed(target, applied);
  if (found !== undefined) return found;
  if (!names.includes(target)) return refuseUnknown(target, applied);
  throw new MigrationRefusedError(`${target} is not applied; choose a target that is`);
}

/** @throws MigrationRefusedError when no migration has this name; the message suggests the nearest. */
export function requireKnown(name: string, names: readonly string[]): void {
  if (!names.includes(name)) refuseUnknown(name, names);
}

// Shorter ones are more likely a typo than a choice.
const shortestPrefix = 4;

/** Returns the name that a text is, or the only one that it begins; undefined without one. @throws MigrationRefusedError for several. */
export function findNamed(target: string, names: readonly string[]): string | undefined {
  if (names.includes(target)) return target;
  if (target.length < shortestPrefix) return undefined;
  const found = names.filter((name) => name.startsWith(target) || name.startsWith(`Migration${target}`));
  if (found.length <= 1) return found[0];
  throw new MigrationRefusedError(
    `${JSON.stringify(target)} is the beginning of ${found.length} migrations: ${found.join(', ')}`,
  );
}

/** @throws MigrationRefusedError that suggests the nearest name. */
export function refuseUnknown(name: string, names: readonly string[]): never {
  const hint = nearestName(name, names);
  throw new MigrationRefusedError(
    `there is no migration ${JSON.stringify(name)}: ${hint === null ? '`status` lists them' : `did you mean ${hint}?`}`,
  );
}
