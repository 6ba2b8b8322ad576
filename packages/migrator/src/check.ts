import { differences } from './catalog/differences.ts';
import { lastingDifferences } from './catalog/restored.ts';
import { readCatalog } from './catalog/catalog.ts';
import { withRemedies, type RemediedDifference } from './leftovers/remedies.ts';
import { unlistedMigrations } from './files/migration-files.ts';
import { ormStatements } from './sql/orm-statements.ts';
import { withScratchDatabase } from './catalog/scratch-database.ts';
import { readState } from './ledger/state.ts';
import { statusOf, type MigrationStatus } from './ledger/status.ts';
import { differencesAfter, type Subject } from './catalog/subject.ts';

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
export async function check(subject: Subject): Promise<CheckResult> {
  const { orm, schema, tables, migratorOf } = subject;
  const [state, found] = [await readState(orm, tables), await readCatalog(orm, schema)];
  const migrations = statusOf(state).filter(({ condition }) => condition !== 'applied');
  const unlisted = await unlistedMigrations(orm);
  const applied = [...new Set(state.log.map(({ name }) => name))];
  const known = new Set(state.migrations.map(({ name }) => name));
  return withScratchDatabase(orm, schema, async (scratch) => {
    const differing = applied.every((name) => known.has(name))
      ? await differencesAfter(subject, scratch, applied, found)
      : null;
    const expected = await readCatalog(scratch, schema);
    await migratorOf(scratch).up({ allowOutOfOrder: true });
    const complete = await readCatalog(scratch, schema);
    const { safe = false, dropTables = true } = scratch.config.get('migrations');
    const entities = await ormStatements(
      await scratch.schema.getUpdateSchemaSQL({ wrap: false, safe, dropTables }),
    );
    const isComplete = async () =>
      (await lastingDifferences(scratch, schema, found, differences(complete, found))).length === 0;
    const pending = migrations.some(({ condition }) => condition === 'pending');
    const baseline = pending && (await isComplete()) ? (state.migrations.at(-1)?.name ?? null) : null;
    const database =
      differing && (await withRemedies(subject, differing, { found, expected, complete, baseline }));
    const agrees = [migrations, unlisted, database, entities].every((part) => part?.length === 0);
    return { agrees, migrations, unlisted, database, entities };
  });
}
