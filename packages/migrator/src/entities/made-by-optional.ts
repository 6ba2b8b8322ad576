import { readCatalog, type Catalog } from '../catalog/catalog.ts';
import { differences } from '../catalog/differences.ts';
import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import { withScratchDatabase } from '../catalog/scratch-database.ts';
import type { State } from '../ledger/state.ts';

/** Objects of a catalog and parts of them that no entity has to describe. */
export interface MadeByOptional {
  has(object: string, part: string | null): boolean;
}

/**
 * Returns what optional migrations add to the schema of the others: what `complete`, the catalog of all others and of the applied optional
 * ones, has and a scratch database without these has not. Creates one only where an optional migration is applied.
 */
export async function madeByOptional(
  migrated: MigratedDatabase,
  { migrations, log }: State,
  complete: Catalog,
): Promise<MadeByOptional> {
  const optional = new Set(migrations.flatMap((one) => (one.optional === null ? [] : [one.name])));
  if (!log.some(({ name }) => optional.has(name))) return { has: () => false };
  const { schema, ignored, migratorFor } = migrated;
  const without = await withScratchDatabase(migrated, async (scratch, guard) => {
    await migratorFor(scratch, guard).up({});
    return ignored.without(await readCatalog(scratch, schema));
  });
  const added = new Set(
    differences(without, complete)
      .filter(({ fact, expected }) => fact === null && expected === null)
      .map(({ object, part }) => keyOf(object, part)),
  );
  return { has: (object, part) => added.has(keyOf(object, null)) || added.has(keyOf(object, part)) };
}

function keyOf(object: string, part: string | null): string {
  return JSON.stringify([object, part]);
}
