import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import { withScratchDatabase, withScratchServer } from '../catalog/scratch-database.ts';
import { readMigrations } from '../files/read-migrations.ts';
import type { Measurement } from '../measure/measurement.ts';
import { measureMigration } from './measure-migration.ts';
import { Workspace } from './workspace.ts';

/**
 * Returns what migrations take on `rows` generated rows in each table that they touch, by their names: each on the schema of those before it
 * in `order`.
 */
export function measureMigrations(
  migrated: MigratedDatabase,
  {
    names,
    order,
    rows,
  }: { readonly names: readonly string[]; readonly order: readonly string[]; readonly rows: number },
): Promise<ReadonlyMap<string, Measurement>> {
  const { schema, tables, ignored } = migrated;
  return withScratchServer(migrated, (server) =>
    withScratchDatabase(migrated, async (scratch, guard) => {
      const code = new Map((await readMigrations(scratch)).map((one) => [one.name, one]));
      const migrator = migrated.migratorFor(scratch, guard);
      const workspace = await Workspace.of(server, scratch);
      const learning = { learned: new Map(), templates: new Map(), report: () => {} };
      const context = { workspace, schema, log: tables.log, ignored, ...learning };
      const measured = new Map<string, Measurement>();
      for (const name of order) {
        const migration = await code.get(name)?.load();
        if (!migration) continue;
        if (names.includes(name))
          measured.set(name, await measureMigration(context, migrated, migration, rows));
        if (measured.size === names.length) break;
        await migrator.repeat([name]);
      }
      return measured;
    }),
  );
}
