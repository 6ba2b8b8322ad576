import { MigratorError, RefusedError } from '../session/errors.ts';
import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import { findLeftovers, type Failure, type Leftovers } from './find-leftovers.ts';
import { holdsData, type Leftover } from './leftover.ts';

/** What to do about what a migration makes and finds in its way. */
export type Conflict =
  /** All of it is what the migration makes: it is dropped by these statements, and made again. */
  | { readonly objects: readonly string[]; readonly drops: readonly string[] }
  /** It can't be replaced without a loss, or not be told. */
  | { readonly remedy: string };

/** Finds out what is in the way of a migration that failed because something exists; null when nothing is seen to be. */
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
    if (error instanceof RefusedError)
      return { remedy: `The conflicting objects can't be determined: ${error.message}.` };
    // A migration that can't be run on a scratch database says nothing of this one: why it failed here matters.
    if (error instanceof MigratorError) return null;
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
  const loss = lasting.some(holdsData) ? ', which loses the rows in it' : '';
  return `An object that it creates exists already, and no applied migration created it. Drop it${loss}, and retry:\n${lines.join('\n')}`;
}
