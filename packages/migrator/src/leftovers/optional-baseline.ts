import type { Catalog } from '../catalog/catalog.ts';
import { differencesAfter, type MigratedDatabase } from '../catalog/migrated-database.ts';
import { withScratchDatabase } from '../catalog/scratch-database.ts';
import type { State } from '../ledger/state.ts';
import { MigratorError } from '../session/errors.ts';

/**
 * Returns the optional migration whose result the database has although it is not applied, as where the same SQL was run by hand: the schema
 * of the applied ones and of this one is `found`. Null without one. Creates a scratch database for each that could be.
 */
export async function optionalBaseline(
  migrated: MigratedDatabase,
  { migrations, log }: State,
  found: Catalog,
): Promise<string | null> {
  const applied = [...new Set(log.map(({ name }) => name))];
  const isMissing = ({ name }: { readonly name: string }): boolean => !applied.includes(name);
  const firstMissing = migrations.findIndex((one) => one.optional === null && isMissing(one));
  const reachable = firstMissing === -1 ? migrations : migrations.slice(0, firstMissing);
  for (const { name } of reachable.filter((one) => one.optional !== null && isMissing(one))) {
    const differing = await withScratchDatabase(migrated, (scratch, guard) =>
      differencesAfter(migrated, { scratch, guard }, [...applied, name], found),
    ).catch((error: unknown) => {
      // The server may not be able to take it.
      if (error instanceof MigratorError) return null;
      throw error;
    });
    if (differing?.length === 0) return name;
  }
  return null;
}
