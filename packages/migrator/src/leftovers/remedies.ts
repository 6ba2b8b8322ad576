import type { Difference } from '../catalog/differences.ts';
import { dropStatements, type Catalog } from '../catalog/catalog.ts';
import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import { emptyingStatements, schemaWasDropped } from './dropped-schema.ts';
import { isReplaceable } from './leftover.ts';

/** The catalogs of a database, of its applied migrations, and of all migrations. */
export interface Compared {
  readonly found: Catalog;
  readonly expected: Catalog;
  readonly complete: Catalog;
  /** The last migration, when the database equals the schema of all though some are not in the log; else null. */
  readonly baseline: string | null;
}

/** A difference and its remedy. */
export interface RemediedDifference extends Difference {
  /** SQL, a command of the migrator in backquotes, or advice. */
  readonly remedy: string;
}

/** Adds a remedy to each difference. */
export async function withRemedies(
  migrated: MigratedDatabase,
  differing: readonly Difference[],
  compared: Compared,
): Promise<RemediedDifference[]> {
  const { found, expected, complete, baseline } = compared;
  const extra = differing.filter((one) => isWhole(one) && one.found !== null).map(({ object }) => object);
  const drops = await dropStatements(migrated.orm, migrated.schema, extra);
  const recreate = schemaWasDropped(expected, found)
    ? `${await emptyingStatements(migrated)} then \`up\``
    : null;
  return differing.map((one) => ({ ...one, remedy: remedyOf(one) }));

  function remedyOf(one: Difference): string {
    if (baseline !== null) return `\`baseline ${baseline}\``;
    if (!isWhole(one)) {
      if (one.fact !== null) return 'revert the change, or write a migration that makes it';
      return one.found === null ? 'create it again' : 'drop it, or write a migration that creates it';
    }
    const { object } = one;
    if (one.found === null) return recreate ?? 'create it again';
    if (isReplaceable(object, complete, found)) return '`up`, which creates it again';
    const sql = drops.get(object);
    if (sql === undefined) return 'it is dropped with the object that it belongs to';
    const drop = `${sql};`;
    return complete.has(object) ? `${drop} before \`up\`` : `${drop} or write a migration that creates it`;
  }
}

function isWhole({ part, fact }: Difference): boolean {
  return part === null && fact === null;
}
