import { differences } from './catalog/differences.ts';
import { restorableDifferences } from './catalog/restorable-differences.ts';
import { readCatalog } from './catalog/catalog.ts';
import { optionalBaseline } from './leftovers/optional-baseline.ts';
import { withRemedies, type RemediedDifference } from './leftovers/remedies.ts';
import { unlistedMigrations } from './files/migration-files.ts';
import { compareEntities } from './entities/entity-differences.ts';
import { madeByOptional } from './entities/made-by-optional.ts';
import { withScratchDatabase } from './catalog/scratch-database.ts';
import { editsBy } from './ledger/edits.ts';
import { lastEntries } from './ledger/history.ts';
import { poolSession } from './session/session.ts';
import type { LeftOut } from './catalog/server-guard.ts';
import { readState } from './ledger/state.ts';
import { statusOf, type MigrationStatus } from './ledger/status.ts';
import { replacedColumns, type ReplacedColumn } from './rename-column/replaced-columns.ts';
import { differencesAfter, type MigratedDatabase } from './catalog/migrated-database.ts';

/** Whether database, migrations and entities agree, and their differences. */
export interface CheckResult {
  readonly agrees: boolean;
  /** Migrations that are pending or have a problem; without optional ones that are not applied. */
  readonly migrations: readonly MigrationStatus[];
  /** Files with migrations that the configuration's list lacks, so that they are never applied. Empty without a list. */
  readonly unlisted: readonly string[];
  /**
   * Differences between the database and what its applied migrations create, each with a remedy. Null when the code lacks an applied
   * migration, so that they can't be compared.
   */
  readonly database: readonly RemediedDifference[] | null;
  /**
   * Statements of migrations that the scratch database did not receive, because they change what all databases of its server share, or
   * name a role that the server lacks. Their effects are not compared.
   */
  readonly leftOut: readonly LeftOut[];
  /**
   * Differences between what the entities create (`expected`) and what all migrations create (`found`), as PostgreSQL prints both, each
   * with a remedy. Limited to what entities describe, and without what applied optional migrations add. Those that are not applied don't count.
   */
  readonly entityDifferences: readonly RemediedDifference[];
  /**
   * The statements by which the ORM would change the schema of all migrations to that of the entities. Without those that change nothing;
   * the ORM may have no statement for a difference.
   */
  readonly entities: readonly string[];
  /** Columns of the database that wait to be dropped because others replace them. They are in no comparison. */
  readonly replaced: readonly ReplacedColumn[];
}

/** Implements `Migrator.check`. */
export async function check(migrated: MigratedDatabase): Promise<CheckResult> {
  const { orm, schema, tables, migratorFor, ignored } = migrated;
  const [state, found] = [await readState(orm, tables), ignored.without(await readCatalog(orm, schema))];
  const unlisted = await unlistedMigrations(orm);
  const replaced = await replacedColumns(poolSession(orm));
  const applied = [...new Set(state.log.map(({ name }) => name))];
  const known = new Set(state.migrations.map(({ name }) => name));
  return withScratchDatabase(migrated, async (scratch, guard) => {
    const differing = applied.every((name) => known.has(name))
      ? await differencesAfter(migrated, { scratch, guard }, applied, found)
      : null;
    const expected = ignored.without(await readCatalog(scratch, schema));
    await migratorFor(scratch, guard).up({ allowOutOfOrder: true });
    const complete = ignored.without(await readCatalog(scratch, schema));
    const repeated = await lastEntries(poolSession(scratch), tables);
    const migrations = statusOf({ ...state, edits: editsBy(state, repeated) }).filter(
      ({ condition }) => condition !== 'applied' && condition !== 'optional',
    );
    const isComplete = async () =>
      (await restorableDifferences(scratch, schema, found, differences(complete, found))).length === 0;
    const pending = migrations.some(({ condition }) => condition === 'pending');
    const last = state.migrations.findLast(({ optional }) => optional === null);
    const baseline =
      pending && (await isComplete())
        ? (last?.name ?? null)
        : differing && differing.length > 0
          ? await optionalBaseline(migrated, state, found)
          : null;
    const database =
      differing && (await withRemedies(migrated, differing, { found, expected, complete, baseline }));
    const { differing: entityDifferences, statements: entities } = await compareEntities(
      scratch,
      schema,
      ignored,
      await madeByOptional(migrated, state, complete),
    );
    const agrees = [migrations, unlisted, database, entityDifferences, entities].every(
      (part) => part?.length === 0,
    );
    return {
      agrees,
      migrations,
      unlisted,
      database,
      leftOut: guard.leftOut,
      entityDifferences,
      entities,
      replaced,
    };
  });
}
