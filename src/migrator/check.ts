import type { MikroORM } from '@mikro-orm/postgresql';
import type { Tables } from './bookkeeping.ts';
import { differences, type Difference } from './catalog-differences.ts';
import { lastingDifferences } from './catalog-restored.ts';
import { readCatalog, type Catalog } from './catalog.ts';
import type { Migrator } from './migrator.ts';
import { withScratchDatabase } from './scratch-database.ts';
import { ormStatements } from './orm-statements.ts';
import { readState } from './state.ts';
import { statusOf, type MigrationStatus } from './status.ts';

/** Whether database, migrations and entities agree, and where not. */
export interface CheckResult {
  readonly agrees: boolean;
  /** Migrations that are not simply applied: pending, edited, missing and so on. */
  readonly migrations: readonly MigrationStatus[];
  /**
   * What the database has and the migrations that it went through don't make, or the other way round. Null when that can't be told,
   * because the code lacks one of them.
   */
  readonly database: readonly Difference[] | null;
  /** The statements by which the ORM would bring what all migrations make to what the entities say. */
  readonly entities: readonly string[];
}

/** A database, and how to migrate a scratch one like it. */
export interface Subject {
  readonly orm: MikroORM;
  readonly schema: string;
  readonly tables: Tables;
  readonly migratorOf: (scratch: MikroORM) => Pick<Migrator, 'down' | 'repeat' | 'up'>;
}

/** What `Migrator.check` promises. */
export async function check(subject: Subject): Promise<CheckResult> {
  const { orm, schema, tables, migratorOf } = subject;
  const [state, found] = [await readState(orm, tables), await readCatalog(orm, schema)];
  const migrations = statusOf(state).filter(({ condition }) => condition !== 'applied');
  const applied = [...new Set(state.log.map(({ name }) => name))];
  const known = new Set(state.migrations.map(({ name }) => name));
  return withScratchDatabase(orm, schema, async (scratch) => {
    const database = applied.every((name) => known.has(name))
      ? await differencesAfter(subject, scratch, applied, found)
      : null;
    await migratorOf(scratch).up({ allowOutOfOrder: true });
    const { safe = false, dropTables = true } = scratch.config.get('migrations');
    const entities = ormStatements(
      await scratch.schema.getUpdateSchemaSQL({ wrap: false, safe, dropTables }),
    );
    const agrees = migrations.length === 0 && database?.length === 0 && entities.length === 0;
    return { agrees, migrations, database, entities };
  });
}

/** How what was found differs from what a scratch database has after these migrations, in this order. */
export async function differencesAfter(
  { schema, migratorOf }: Subject,
  scratch: MikroORM,
  names: readonly string[],
  found: Catalog,
): Promise<readonly Difference[]> {
  if (names.length > 0) await migratorOf(scratch).repeat(names);
  const differing = differences(await readCatalog(scratch, schema), found);
  return lastingDifferences(scratch, schema, found, differing);
}
