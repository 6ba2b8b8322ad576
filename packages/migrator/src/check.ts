import { differences } from './catalog/differences.ts';
import { restorableDifferences } from './catalog/restorable-differences.ts';
import { readCatalog } from './catalog/catalog.ts';
import { withRemedies, type RemediedDifference } from './leftovers/remedies.ts';
import { unlistedMigrations } from './files/migration-files.ts';
import { ormStatements } from './catalog/orm-statements.ts';
import { withScratchDatabase } from './catalog/scratch-database.ts';
import { readState } from './ledger/state.ts';
import { statusOf, type MigrationStatus } from './ledger/status.ts';
import { differencesAfter, type MigratedDatabase } from './catalog/migrated-database.ts';

/** Whether database, migrations and entities agree, and where not. */
export interface CheckResult {
  readonly agrees: boolean;
  /** Migrations that are not simply applied: pending, edited, missing and so on. */
  readonly migrations: readonly MigrationStatus[];
  /** Files with a migration that the configuration's list leaves out, so that it is never applied. Empty without a list. */
  readonly unlisted: readonly string[];
  /**
   * What the database has and the migrations that it went through don't make, or the other way round, with what to do about it. Null
   * when that can't be told, because the code lacks one of them.
   */
  readonly database: readonly RemediedDifference[] | null;
  /** The statements by which the ORM would bring what all migrations make to what the entities say. */
  readonly entities: readonly string[];
}

/** What `Migrator.check` promises. */
export async function check(migrated: MigratedDatabase): Promise<CheckResult> {
  const { orm, schema, tables, migratorFor } = migrated;
  const [state, found] = [await readState(orm, tables), await readCatalog(orm, schema)];
  const migrations = statusOf(state).filter(({ condition }) => condition !== 'applied');
  const unlisted = await unlistedMigrations(orm);
  const applied = [...new Set(state.log.map(({ name }) => name))];
  const known = new Set(state.migrations.map(({ name }) => name));
  return withScratchDatabase(orm, schema, async (scratch) => {
    const differing = applied.every((name) => known.has(name))
      ? await differencesAfter(migrated, scratch, applied, found)
      : null;
    const expected = await readCatalog(scratch, schema);
    await migratorFor(scratch).up({ allowOutOfOrder: true });
    const complete = await readCatalog(scratch, schema);
    const { safe = false, dropTables = true } = scratch.config.get('migrations');
    const entities = ormStatements(
      await scratch.schema.getUpdateSchemaSQL({ wrap: false, safe, dropTables }),
    );
    const isComplete = async () =>
      (await restorableDifferences(scratch, schema, found, differences(complete, found))).length === 0;
    const pending = migrations.some(({ condition }) => condition === 'pending');
    const baseline = pending && (await isComplete()) ? (state.migrations.at(-1)?.name ?? null) : null;
    const database =
      differing && (await withRemedies(migrated, differing, { found, expected, complete, baseline }));
    const agrees = [migrations, unlisted, database, entities].every((part) => part?.length === 0);
    return { agrees, migrations, unlisted, database, entities };
  });
}
