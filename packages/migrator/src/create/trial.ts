import { isNativeError } from 'node:util/types';
import type { MikroORM } from '@mikro-orm/postgresql';
import { differences } from '../catalog/differences.ts';
import { readCatalog, type Catalog } from '../catalog/catalog.ts';
import { findSqlState } from '../session/find-sql-state.ts';
import { inTransaction } from '../session/session.ts';

/** The statements of one migration. */
export interface Directions {
  readonly up: readonly string[];
  readonly down: readonly string[];
}

/** Problems of created migrations, by direction. */
export interface TrialReport {
  readonly up: readonly string[];
  readonly down: readonly string[];
  /** Whether `up` uses a value of a native enum in the transaction that adds it, which PostgreSQL refuses. */
  readonly usesNewValue: boolean;
  /** Whether the database is as `up` makes it. */
  readonly isUp: boolean;
}

/**
 * Runs migrations up, down and up again on the ORM's database, which has the schema of the earlier migrations and no rows, and compares
 * the results. Leaves the database as `up` makes it, unless a direction fails.
 */
export async function runTrial(
  orm: MikroORM,
  schema: string,
  migrations: readonly Directions[],
): Promise<TrialReport> {
  const catalog = () => readCatalog(orm, schema);
  const before = await catalog();
  const up = migrations.map((one) => one.up);
  const down = migrations.map((one) => one.down).toReversed();
  const failed = await failureOf(orm, up);
  if (failed) return { up: [failed.message], down: [], usesNewValue: failed.state === '55P04', isUp: false };
  const after = await catalog();
  const back = await failureOf(orm, down);
  if (back) return { up: [], down: [back.message], usesNewValue: false, isUp: migrations.length === 1 };
  const notRestored = namesOf(before, await catalog()).map((what) => `does not restore ${what}`);
  const again = await failureOf(orm, up);
  const differs = again
    ? [`${again.message}, when it runs again after down`]
    : namesOf(after, await catalog()).map((what) => `makes another ${what} when it runs again after down`);
  return { up: differs, down: notRestored, usesNewValue: false, isUp: again === null };
}

function namesOf(expected: Catalog, found: Catalog): string[] {
  return differences(expected, found).map((one) =>
    [one.object, one.part, one.fact].filter((name) => name !== null).join(', '),
  );
}

/** Runs each list in a transaction; returns how the first one fails. */
async function failureOf(
  orm: MikroORM,
  lists: readonly (readonly string[])[],
): Promise<{ readonly message: string; readonly state: string } | null> {
  let at = '';
  try {
    for (const statements of lists) {
      await inTransaction(orm, async (session) => {
        for (const sql of statements) {
          at = sql;
          await session.query(sql);
        }
      });
    }
    return null;
  } catch (error) {
    // The scratch database has no rows, so the message contains none.
    const message = `fails even without rows, at "${at}": ${isNativeError(error) ? error.message : String(error)}`;
    return { message, state: findSqlState(error) };
  }
}
