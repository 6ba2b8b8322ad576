import { findExistingTables } from '../ledger/tables.ts';
import { hasUserTables, readCatalog, type Catalog } from '../catalog/catalog.ts';
import { MigrationRefusedError, MigratorError } from '../session/errors.ts';
import { isScratch, withScratchDatabase } from '../catalog/scratch-database.ts';
import { poolSession } from '../session/session.ts';
import type { State } from '../ledger/state.ts';
import type { MigratedDatabase } from '../catalog/migrated-database.ts';

/**
 * Refuses to migrate a database whose tables were all dropped while its log was kept, as the ORM's `schema:drop` does. Uses a scratch
 * database only where the log lists migrations and there is no table at all; refuses nothing where the role may not create one, or a
 * migration fails there.
 *
 * @throws MigrationRefusedError with the statements that empty the log.
 */
export async function refuseDroppedSchema(
  migrated: MigratedDatabase,
  { log, migrations }: State,
): Promise<void> {
  const { orm, schema, migratorFor } = migrated;
  const applied = [...new Set(log.map(({ name }) => name))];
  const known = new Set(migrations.map(({ name }) => name));
  if (applied.length === 0 || !applied.every((name) => known.has(name)) || isScratch(orm)) return;
  if (await hasUserTables(orm, schema)) return;
  const expected = await withScratchDatabase(migrated, async (scratch) => {
    await migratorFor(scratch).repeat(applied);
    return readCatalog(scratch, schema);
  }).catch((error: unknown) => {
    // A migration that fails there, such as one that changes what was made by hand, explains nothing about the tables here.
    if (error instanceof MigratorError) return null;
    throw error;
  });
  if (expected === null || !schemaWasDropped(expected, new Map())) return;
  throw new MigrationRefusedError(
    `the log lists ${applied.length} migrations as applied, but none of the tables that they create exists: the schema was dropped and ` +
      `the log was kept. To migrate again, run this, then \`up\`: ${await emptyingStatements(migrated)}`,
  );
}

/** Whether the tables that migrations create were all dropped. */
export function schemaWasDropped(expected: Catalog, found: Catalog): boolean {
  const made = tablesIn(expected);
  return made.length > 0 && made.every((table) => !found.has(table));
}

/** Returns the statements that delete the log and the progress. */
export async function emptyingStatements({ orm, tables }: MigratedDatabase): Promise<string> {
  const { progress } = await findExistingTables(poolSession(orm), tables);
  return [tables.log, ...(progress ? [tables.progress] : [])]
    .map((table) => `delete from ${table};`)
    .join(' ');
}

function tablesIn(catalog: Catalog): string[] {
  return [...catalog.keys()].filter((object) => /^(?:foreign )?table /.test(object));
}
