import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import { withScratchDatabase, withScratchServer } from '../catalog/scratch-database.ts';
import type { Direction } from '../files/code-migration.ts';
import { readMigrations } from '../files/read-migrations.ts';
import type { Blocks } from '../lint/observation/finding.ts';
import type { State } from '../ledger/state.ts';
import { poolSession } from '../session/session.ts';
import { Workspace } from '../verify/workspace.ts';
import { forecastMigration, unknownForecast } from './forecast-migration.ts';
import { readTableIds } from './table-ids.ts';
import { readStatistics } from './table-statistics.ts';

/** A lock that a statement will hold. */
export interface ForecastLock {
  /** Quoted as in SQL, without `public`. */
  readonly table: string;
  /** By PostgreSQL's name: `AccessExclusiveLock`. */
  readonly lock: string;
  readonly blocks: Blocks;
  /** To the end of its transaction, in milliseconds. */
  readonly heldMs: number;
}

/** How long a statement will take, and what it will block meanwhile. */
export interface ForecastStatement {
  /** Its number among those of the migration, from 1. */
  readonly statement: number;
  readonly sql: string;
  readonly durationMs: number;
  readonly locks: readonly ForecastLock[];
}

/** A table that a forecast is for. */
export interface ForecastTable {
  /** Quoted as in SQL, without `public`. */
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
  /** Whether the server has statistics of it. Without, the number of rows follows from its size and the generated rows'. */
  readonly hasStatistics: boolean;
  /** How many generated rows were measured. */
  readonly measuredRows: number;
}

/** How long a direction of a migration will take. */
export interface Forecast {
  readonly migration: string;
  readonly direction: Direction;
  /** In milliseconds, without waiting for locks; null where it is unknown. */
  readonly durationMs: number | null;
  readonly statements: readonly ForecastStatement[];
  /** The tables with rows that it touches. */
  readonly tables: readonly ForecastTable[];
  /** Why it is unknown; null where it is known. */
  readonly unknown: string | null;
}

/** A direction of a migration. */
export interface ForecastRequest {
  readonly name: string;
  readonly direction: Direction;
}

/**
 * Implements `Migrator.forecast`: measures each step on scratch databases with rows that are shaped after the statistics of the connected
 * database, and extrapolates to the sizes of its tables.
 */
export async function forecast(
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
        for (const { name, direction } of steps) {
          const migration = await code.get(name)?.load();
          if (!migration) continue;
          if (failed !== null) {
            forecasts.push(unknownForecast({ name, direction }, `${failed} before it fails without rows`));
            continue;
          }
          const step = { migrated, server, migration, direction, statistics, originals };
          forecasts.push(await forecastMigration(context, step));
          const run = direction === 'up' ? migrator.repeat([name]) : migrator.down({});
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
