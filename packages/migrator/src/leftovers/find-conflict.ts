import { MigratorError, MigrationRefusedError } from '../session/errors.ts';
import { findSqlState } from '../session/find-sql-state.ts';
import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import { findLeftovers, type Failure, type Leftovers } from './find-leftovers.ts';
import { holdsData, type Leftover } from './leftover.ts';

/** Existing objects that a migration creates, and what to do about them. */
export type Conflict =
  /** All of them equal what the migration creates: these statements drop them, and it creates them again. */
  | { readonly objects: readonly string[]; readonly drops: readonly string[] }
  /** Replacing them would lose data, or they can't be determined. */
  | { readonly remedy: string };

/** Returns the existing objects that made a migration fail; null when none is found. */
export async function findConflict(migrated: MigratedDatabase, failure: Failure): Promise<Conflict | null> {
  try {
    const leftovers = await findLeftovers(migrated, failure);
    if (leftovers.objects.length === 0) return null;
    const lasting = leftovers.objects.filter(
      ({ object, part }) => part !== null || !leftovers.replaceable.has(object),
    );
    if (lasting.length > 0) return { remedy: remedyFor(lasting, leftovers) };
    return {
      objects: leftovers.objects.map(({ object }) => object),
      drops: [...leftovers.drops.values()],
    };
  } catch (error) {
    if (error instanceof MigrationRefusedError)
      return { remedy: `The conflicting objects can't be determined: ${error.message}.` };
    // A failure on the scratch database explains nothing about the failure here.
    if (error instanceof MigratorError || findSqlState(error) !== '') return null;
    throw error;
  }
}

function remedyFor(lasting: readonly Leftover[], { drops, baseline }: Leftovers): string {
  if (baseline !== null) {
    return `The database has the schema that the migrations up to ${baseline} create: run \`baseline ${baseline}\`, which records them as applied.`;
  }
  const whole = new Set(lasting.filter(({ part }) => part === null).map(({ object }) => object));
  const lines = [
    ...[...drops].filter(([object]) => whole.has(object)).map(([, sql]) => `${sql};`),
    ...lasting.flatMap(({ object, part }) => (part === null ? [] : [`-- ${object}: drop ${part}`])),
  ];
  const loss = lasting.some(holdsData) ? ', which loses their rows' : '';
  return `Objects that it creates exist already, and no applied migration created them. Drop them${loss}, and retry:\n${lines.join('\n')}`;
}
