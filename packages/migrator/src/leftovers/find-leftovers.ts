import type { MikroORM } from '@mikro-orm/postgresql';
import { differences } from '../catalog/differences.ts';
import { restorableDifferences } from '../catalog/restorable-differences.ts';
import { dropStatements, readCatalog, readCatalogIn, type Catalog } from '../catalog/catalog.ts';
import type { EmittedMigration } from '../files/emitted-migration.ts';
import { withScratchDatabase } from '../catalog/scratch-database.ts';
import { onOwnConnection } from '../session/own-connection.ts';
import { inTransaction, type Session } from '../session/session.ts';
import { isLostConnection, sqlStateOf } from '../session/sql-state.ts';
import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import { isReplaceable, leftoversBetween, type Leftover } from './leftover.ts';

/** A migration that failed, and what the log lists. */
export interface Failure {
  readonly migration: EmittedMigration;
  /** Its statement that failed, from 1. */
  readonly at: number;
  /** In the order in which they were applied. */
  readonly applied: readonly string[];
  /** From the one that failed, oldest first. */
  readonly pending: readonly string[];
}

/** What is in the way of a migration. */
export interface Leftovers {
  readonly objects: readonly Leftover[];
  /**
   * Those that the migrations make again when they are dropped: they hold no rows, and are what the one that failed makes, or what
   * later ones make of it.
   */
  readonly replaceable: ReadonlySet<string>;
  /** The statements that drop them, those that were made last first. */
  readonly drops: ReadonlyMap<string, string>;
  /** The last of the migrations that make exactly the schema which the database has; null when none does. */
  readonly baseline: string | null;
}

// Schema, relation, column, object of another kind, function, primary key.
const alreadyThere: ReadonlySet<string> = new Set(['42P06', '42P07', '42701', '42710', '42723', '42P16']);

/** Whether the server refused to make something because there is one. */
export function isAlreadyThere(error: unknown): boolean {
  return alreadyThere.has(sqlStateOf(error));
}

/**
 * Returns what the migration makes and finds in its way, by PostgreSQL's account: each of its statements, from the one that failed, is
 * run on a scratch database, and those after which something is there that the connected database has too are run a second time. One
 * that fails then as the migration did is stopped by what it made. Changes nothing in the connected database.
 *
 * @throws RefusedError when the role may not create databases; any error that the migration throws on the scratch database.
 */
export async function findLeftovers(migrated: MigratedDatabase, failure: Failure): Promise<Leftovers> {
  const { orm, schema, migratorFor } = migrated;
  const found = await readCatalog(orm, schema);
  return withScratchDatabase(orm, schema, async (scratch) => {
    if (failure.applied.length > 0) await migratorFor(scratch).repeat(failure.applied);
    const run = failure.migration.transactional ? inOneTransaction : oneByOne;
    const objects = await run(migrated, scratch, (steps) => blocking(steps, failure, found));
    const names = objects.flatMap(({ object, part }) => (part === null ? [object] : []));
    const drops = await dropStatements(orm, schema, names);
    return { objects, drops, ...(await afterwards(migrated, scratch, failure, { names, found })) };
  });
}

/** How a migration is gone through on a scratch database. */
interface Steps {
  send(sql: string): Promise<unknown>;
  look(): Promise<Catalog>;
  /** Sends it, and undoes it where that is possible. */
  sendAgain(sql: string): Promise<unknown>;
}

type Work = (steps: Steps) => Promise<Leftover[]>;

async function blocking(steps: Steps, { migration, at }: Failure, found: Catalog): Promise<Leftover[]> {
  const objects: Leftover[] = [];
  let before: Catalog | undefined;
  for (const [index, sql] of (migration.up.statements ?? []).entries()) {
    if (index < at - 1) {
      await steps.send(sql);
      continue;
    }
    before ??= await steps.look();
    await steps.send(sql);
    const after = await steps.look();
    const met = leftoversBetween(before, after, found);
    if (met.length > 0 && (await failsAgain(steps, sql))) objects.push(...met);
    before = after;
  }
  return objects;
}

async function failsAgain(steps: Steps, sql: string): Promise<boolean> {
  try {
    await steps.sendAgain(sql);
    return false;
  } catch (error) {
    if (isLostConnection(error)) throw error;
    return isAlreadyThere(error);
  }
}

/** As a transactional migration is run; leaves the scratch database as it was. */
function inOneTransaction(
  { schema, tables }: MigratedDatabase,
  scratch: MikroORM,
  work: Work,
): Promise<Leftover[]> {
  return inTransaction(scratch, async (session) => {
    await session.query('savepoint as_it_was');
    const result = await work({
      send: (sql) => session.query(sql),
      look: () => undone(session, () => readCatalogIn(session, schema, tables)),
      sendAgain: (sql) => undone(session, () => session.query(sql)),
    });
    await session.query('rollback to as_it_was');
    return result;
  });
}

/** As one that is not transactional is run. */
function oneByOne({ schema }: MigratedDatabase, scratch: MikroORM, work: Work): Promise<Leftover[]> {
  return onOwnConnection(scratch, (session) =>
    work({
      send: (sql) => session.query(sql),
      look: () => readCatalog(scratch, schema),
      sendAgain: (sql) => session.query(sql),
    }),
  );
}

async function undone<T>(session: Session, work: () => Promise<T>): Promise<T> {
  await session.query('savepoint before_it');
  try {
    return await work();
  } finally {
    await session.query('rollback to before_it');
  }
}

/** Applies the rest on the scratch database, and returns what it shows. */
async function afterwards(
  { schema, migratorFor }: MigratedDatabase,
  scratch: MikroORM,
  { migration, pending }: Failure,
  { names, found }: { readonly names: readonly string[]; readonly found: Catalog },
): Promise<Pick<Leftovers, 'replaceable' | 'baseline'>> {
  const replaceable = new Set<string>();
  let baseline: string | null = null;
  // One by one its statements were kept there. Nothing can be replaced between two of them, which nothing would bring back.
  for (const name of migration.transactional ? pending : []) {
    await migratorFor(scratch).repeat([name]);
    const made = await readCatalog(scratch, schema);
    for (const object of names) if (isReplaceable(object, made, found)) replaceable.add(object);
    const differing = await restorableDifferences(scratch, schema, found, differences(made, found));
    if (differing.length === 0) baseline = name;
  }
  return { replaceable, baseline };
}
