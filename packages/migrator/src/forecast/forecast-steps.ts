import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import { withScratchDatabase, withScratchServer } from '../catalog/scratch-database.ts';
import { readMigrations } from '../files/read-migrations.ts';
import type { State } from '../ledger/state.ts';
import { poolSession } from '../session/session.ts';
import { Workspace } from '../verify/workspace.ts';
import { forecastMigration } from './forecast-migration.ts';
import { unknownForecast, type Forecast, type ForecastRequest } from './forecast.ts';
import { readTableIds } from './table-ids.ts';
import { readStatistics } from './table-statistics.ts';

/**
 * Implements `Migrator.forecast`: measures each step on scratch databases with rows that are shaped after the statistics of the connected
 * database, and extrapolates to the sizes of its tables.
 */
export async function forecastSteps(
  migrated: MigratedDatabase,
  { log }: State,
  steps: readonly ForecastRequest[],
): Promise<Forecast[]> {
  if (steps.length === 0) return [];
  const { orm, schema, tables, ignored } = migrated;
  const statistics = await readStatistics(poolSession(orm), schema, tables.log);
  return withScratchServer(migrated, (server) =>
    withScratchDatabase(migrated, async (scratch, guard) => {
      const code = new Map((await readMigrations(scratch)).map((one) => [one.name, one]));
      const migrator = migrated.migratorFor(scratch, guard);
      await migrator.repeat(log.map(({ name }) => name).filter((name) => code.has(name)));
      const workspace = await Workspace.of(server, scratch);
      const learning = { learned: new Map(), templates: new Map(), report: () => {} };
      const context = { workspace, schema, log: tables.log, ignored, ...learning };
      const originals = await readTableIds(poolSession(scratch));
      const forecasts: Forecast[] = [];
      let failed: string | null = null;
      try {
        for (const { name, direction, takesOver = [] } of steps) {
          const migration = await code.get(name)?.load();
          if (!migration || takesOver.length > 0) continue;
          if (failed !== null) {
            forecasts.push(unknownForecast({ name, direction }, `${failed} before it fails without rows`));
            continue;
          }
          const step = { migrated, server, migration, direction, statistics, originals };
          forecasts.push(await forecastMigration(context, step));
          const reverted = migration.optional === null ? {} : { optional: [name] };
          const run = direction === 'up' ? migrator.repeat([name]) : migrator.down(reverted);
          failed = await run.then(
            () => null,
            () => name,
          );
        }
        return forecasts;
      } finally {
        await workspace.discard();
      }
    }),
  );
}
