import { MikroORM } from '@mikro-orm/postgresql';
import type { Pool } from 'pg';
import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import type { Direction, LoadedMigration } from '../files/code-migration.ts';
import { interceptQueries } from '../internals/intercept-queries.ts';
import { blocksOf } from '../lint/observation/locks.ts';
import type { Table } from '../rows/tables.ts';
import { driverOptionsOf } from '../session/driver-options.ts';
import { poolSession } from '../session/session.ts';
import { readLocks } from './lock-reader.ts';
import type { MeasuredLock, MeasuredStatement } from './measurement.ts';
import { StallProbes, type Wait } from './stall-probes.ts';
import { Timeline, type TimedLock } from './timeline.ts';

/** What to run and measure. */
export interface RunToMeasure {
  readonly migrated: MigratedDatabase;
  /** A scratch database in the state before it. */
  readonly copy: MikroORM;
  readonly migration: Pick<LoadedMigration, 'name' | 'optional'>;
  readonly direction: Direction;
  /** The tables that a reader and a writer probe meanwhile. */
  readonly probed: readonly Table[];
  /** Whether rows are counted before, as `up` does, which reads them into memory. */
  readonly countsRows?: boolean;
}

/** What was measured of a direction, up to its end or failure. */
export interface MeasuredRun {
  readonly statements: readonly MeasuredStatement[];
  /** What the server sent while each statement ran, by its number. */
  readonly messages: ReadonlyMap<number, readonly string[]>;
  /** Null when it succeeded. */
  readonly error: unknown;
}

/** Runs a direction of a migration by the migrator itself, as `up` and `down` do, and measures each statement. */
export async function measureRun({
  migrated,
  copy,
  migration: { name, optional },
  direction,
  probed,
  countsRows = false,
}: RunToMeasure): Promise<MeasuredRun> {
  const { schema: own, tables, migratorFor } = migrated;
  const others = await MikroORM.init(optionsOf(copy, { max: 2 * probed.length + 2 }));
  try {
    const session = poolSession(others);
    const timeline = new Timeline((pid) => readLocks(session, { pid, own, log: tables.log }));
    const running = await MikroORM.init(
      optionsOf(copy, {
        // On both sides of the guard of the scratch database.
        before: (pool) => interceptQueries(pool, () => timeline.inner()),
        after: (pool) => {
          interceptQueries(pool, () => timeline.outer());
          pool.on('connect', (client) => {
            client.on('notice', ({ message = '' }) => timeline.addMessage(message));
          });
        },
      }),
    );
    try {
      const migrator = migratorFor(running, timeline);
      const probes = new StallProbes(session, probed);
      let error: unknown = null;
      try {
        // An optional one may not be the last.
        const reverted = optional === null ? {} : { optional: [name] };
        await (direction === 'up' ? migrator.repeat([name], { countsRows }) : migrator.down(reverted));
      } catch (caught) {
        error = caught;
      }
      timeline.finish();
      const waits = await probes.stop();
      return {
        statements: statementsOf(direction, timeline, waits),
        messages: new Map(timeline.statements.map(({ number, messages }) => [number, messages])),
        error,
      };
    } finally {
      await running.close(true);
    }
  } finally {
    await others.close(true);
  }
}

interface PoolOptions {
  readonly max?: number;
  /** Called with the pool before, and after, those that the database's options name. */
  readonly before?: (pool: Pool) => void;
  readonly after?: (pool: Pool) => void;
}

function optionsOf(copy: MikroORM, { max, before, after }: PoolOptions) {
  const configuration = copy.config.getAll();
  const options = driverOptionsOf(configuration) ?? {};
  return {
    ...configuration,
    driverOptions: {
      ...options,
      ...(max !== undefined && { max }),
      onPoolCreated(pool: Pool) {
        before?.(pool);
        const result = options.onPoolCreated?.(pool);
        after?.(pool);
        return result;
      },
    },
  };
}

function statementsOf(
  direction: Direction,
  { statements }: Timeline,
  waits: readonly Wait[],
): MeasuredStatement[] {
  const locks = statements.flatMap((one) => one.locks);
  return statements.map(({ number, sql, began, ended, guarding, locks: taken }) => ({
    direction,
    statement: number,
    sql,
    durationMs: rounded((ended ?? began) - began - guarding),
    locks: taken.map((lock): MeasuredLock => {
      const during = waits.filter((wait) => causeOf(wait, locks) === lock);
      return {
        table: lock.table,
        lock: lock.mode,
        blocks: blocksOf(lock.mode),
        heldMs: rounded((lock.ended ?? lock.began) - lock.began),
        readerStallMs: longest(during, 'reads'),
        writerStallMs: longest(during, 'writes'),
      };
    }),
  }));
}

/** Returns the lock that a wait was for: the last one on its table that was taken before it began, else the first one meanwhile. */
function causeOf({ table, began, ended }: Wait, locks: readonly TimedLock[]): TimedLock | undefined {
  const meanwhile = locks.filter(
    (lock) => lock.table === table && lock.began < ended && (lock.ended ?? Infinity) > began,
  );
  return meanwhile.findLast((lock) => lock.began <= began) ?? meanwhile[0];
}

function longest(waits: readonly Wait[], does: Wait['does']): number | null {
  const times = waits.filter((wait) => wait.does === does).map(({ began, ended }) => ended - began);
  return times.length === 0 ? null : rounded(Math.max(...times));
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
