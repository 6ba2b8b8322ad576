import { isNativeError } from 'node:util/types';
import type { MikroORM } from '@mikro-orm/postgresql';
import { differences } from '../catalog/differences.ts';
import { readCatalog, type Catalog } from '../catalog/catalog.ts';
import type { Direction } from '../files/code-migration.ts';
import { findSqlState, isLostConnection } from '../session/find-sql-state.ts';
import { inTransaction, poolSession, type Session } from '../session/session.ts';

/** The statements of one migration. */
export interface Directions {
  readonly up: readonly string[];
  readonly down: readonly string[];
  /** Whether each statement is sent alone, without a transaction, as concurrent indexes need. Default false. */
  readonly apart?: boolean;
}

/** Problems of created migrations, by direction. */
export interface TrialReport {
  readonly up: readonly string[];
  readonly down: readonly string[];
  /** The statement that fails even without rows, so that the direction can't be run at all; null without one. */
  readonly failure: TrialFailure | null;
  /** Whether the database is as `up` makes it. */
  readonly isUp: boolean;
}

/** How a direction fails. */
interface TrialFailure {
  readonly direction: Direction;
  readonly statement: string;
  /** The server's message. */
  readonly reason: string;
  /** Whether it uses a value of a native enum in the transaction that adds it, which PostgreSQL refuses. */
  readonly usesNewValue: boolean;
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
  const transactions = ({ apart = false }: Directions, statements: readonly string[]): Batch[] =>
    apart ? statements.map((sql) => ({ statements: [sql], apart })) : [{ statements, apart }];
  const up = migrations.flatMap((one) => transactions(one, one.up));
  const down = migrations.toReversed().flatMap((one) => transactions(one, one.down));
  const failure = await failureOf(orm, 'up', up);
  if (failure) return { up: [], down: [], failure, isUp: false };
  const after = await catalog();
  const back = await failureOf(orm, 'down', down);
  if (back) return { up: [], down: [], failure: back, isUp: migrations.length === 1 };
  const notRestored = namesOf(before, await catalog()).map((what) => `does not restore ${what}`);
  const again = await failureOf(orm, 'up', up);
  const differs = again
    ? [`fails at "${again.statement}", when it runs again after down: ${again.reason}`]
    : namesOf(after, await catalog()).map((what) => `makes another ${what} when it runs again after down`);
  return { up: differs, down: notRestored, failure: null, isUp: again === null };
}

function namesOf(expected: Catalog, found: Catalog): string[] {
  return differences(expected, found).map((one) =>
    [one.object, one.part, one.fact].filter((name) => name !== null).join(', '),
  );
}

/** Statements that are sent together in a transaction, or `apart`, a single one without. */
interface Batch {
  readonly statements: readonly string[];
  readonly apart: boolean;
}

/** Runs each batch; returns how the first one fails. */
async function failureOf(
  orm: MikroORM,
  direction: Direction,
  batches: readonly Batch[],
): Promise<TrialFailure | null> {
  let statement = '';
  try {
    for (const { statements, apart } of batches) {
      const send = async (session: Session): Promise<void> => {
        for (const sql of statements) {
          statement = sql;
          await session.query(sql);
        }
      };
      await (apart ? send(poolSession(orm)) : inTransaction(orm, send));
    }
    return null;
  } catch (error) {
    if (isLostConnection(error)) throw error;
    // The scratch database has no rows, so the message contains none.
    const reason = isNativeError(error) ? error.message : String(error);
    return { direction, statement, reason, usesNewValue: findSqlState(error) === '55P04' };
  }
}
