import type { MikroORM } from '@mikro-orm/postgresql';
import { differences } from '../catalog/differences.ts';
import { restorableDifferences } from '../catalog/restorable-differences.ts';
import { dropStatements, readCatalog, readCatalogIn, type Catalog } from '../catalog/catalog.ts';
import type { LoadedMigration } from '../files/code-migration.ts';
import { withScratchDatabase } from '../catalog/scratch-database.ts';
import { onOwnConnection } from '../session/own-connection.ts';
import { inTransaction, type Session } from '../session/session.ts';
import { isLostConnection, findSqlState } from '../session/find-sql-state.ts';
import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import { isReplaceable, leftoversBetween, type Leftover } from './leftover.ts';

/** A failed migration, and the state of the log. */
export interface Failure {
  readonly migration: LoadedMigration;
  readonly statements: readonly string[];
  /** Its statement that failed, from 1. */
  readonly at: number;
  /** In the order in which they were applied. */
  readonly applied: readonly string[];
  /** From the one that failed, oldest first. */
  readonly pending: readonly string[];
}

/** The existing objects that make a migration fail. */
export interface Leftovers {
  readonly objects: readonly Leftover[];
  /**
   * Those that may be dropped, because the migrations create them again: they hold no rows, and equal what the failed migration or a
   * later one creates.
   */
  readonly replaceable: ReadonlySet<string>;
  /** The statements that drop them, newest object first. */
  readonly drops: ReadonlyMap<string, string>;
  /** The migration up to which the migrations create exactly the database's schema; null when no migration does. */
  readonly baseline: string | null;
}

// Schema, relation, column, object of another kind, function, primary key.
const alreadyThere: ReadonlySet<string> = new Set(['42P06', '42P07', '42701', '42710', '42723', '42P16']);

/** Whether the server refused to create an object because it exists. */
export function isAlreadyThere(error: unknown): boolean {
  return alreadyThere.has(findSqlState(error));
}

/**
 * Returns the existing objects that a migration creates. Runs each of its statements, from the failed one, on a scratch database. If a
 * statement creates an object that the connected database has too, it is sent again there: when that fails because the object exists,
 * the object is in the way. Does not change the connected database.
 *
 * @throws MigrationRefusedError when the role may not create databases; any error that the migration throws on the scratch database.
 */
export async function findLeftovers(migrated: MigratedDatabase, failure: Failure): Promise<Leftovers> {
  const { orm, schema, migratorFor } = migrated;
  const found = await readCatalog(orm, schema);
  return withScratchDatabase(migrated, async (scratch) => {
    if (failure.applied.length > 0) await migratorFor(scratch).repeat(failure.applied);
    const run = failure.migration.transactional ? inOneTransaction : statementByStatement;
    const objects = await run(migrated, scratch, (trial) => findBlockingObjects(trial, failure, found));
    const names = objects.flatMap(({ object, part }) => (part === null ? [object] : []));
    const drops = await dropStatements(orm, schema, names);
    return { objects, drops, ...(await compareAfterPending(migrated, scratch, failure, { names, found })) };
  });
}

/** How the statements of a migration are sent on a scratch database. */
interface Trial {
  send(sql: string): Promise<unknown>;
  readCatalog(): Promise<Catalog>;
  /** Sends it, and rolls it back if it runs in a transaction. */
  sendAgain(sql: string): Promise<unknown>;
}

type Work = (trial: Trial) => Promise<Leftover[]>;

async function findBlockingObjects(
  trial: Trial,
  { statements, at }: Failure,
  found: Catalog,
): Promise<Leftover[]> {
  const objects: Leftover[] = [];
  let before: Catalog | undefined;
  for (const [index, sql] of statements.entries()) {
    if (index < at - 1) {
      await trial.send(sql);
      continue;
    }
    before ??= await trial.readCatalog();
    await trial.send(sql);
    const after = await trial.readCatalog();
    const existing = leftoversBetween(before, after, found);
    if (existing.length > 0 && (await failsAgain(trial, sql))) objects.push(...existing);
    before = after;
  }
  return objects;
}

async function failsAgain(trial: Trial, sql: string): Promise<boolean> {
  try {
    await trial.sendAgain(sql);
    return false;
  } catch (error) {
    if (isLostConnection(error)) throw error;
    return isAlreadyThere(error);
  }
}

/** Sends the statements in one transaction, and rolls it back. */
function inOneTransaction(
  { schema, tables }: MigratedDatabase,
  scratch: MikroORM,
  work: Work,
): Promise<Leftover[]> {
  return inTransaction(scratch, async (session) => {
    await session.query('savepoint before_migration');
    const result = await work({
      send: (sql) => session.query(sql),
      readCatalog: () => rolledBack(session, () => readCatalogIn(session, schema, tables)),
      sendAgain: (sql) => rolledBack(session, () => session.query(sql)),
    });
    await session.query('rollback to before_migration');
    return result;
  });
}

/** Sends each statement separately, as for a migration that is not transactional. */
function statementByStatement(
  { schema }: MigratedDatabase,
  scratch: MikroORM,
  work: Work,
): Promise<Leftover[]> {
  return onOwnConnection(scratch, (session) =>
    work({
      send: (sql) => session.query(sql),
      readCatalog: () => readCatalog(scratch, schema),
      sendAgain: (sql) => session.query(sql),
    }),
  );
}

async function rolledBack<T>(session: Session, work: () => Promise<T>): Promise<T> {
  await session.query('savepoint before_statement');
  try {
    return await work();
  } finally {
    await session.query('rollback to before_statement');
  }
}

/** Applies the pending migrations on the scratch database, and compares it with the connected one. */
async function compareAfterPending(
  { schema, migratorFor }: MigratedDatabase,
  scratch: MikroORM,
  { migration, pending }: Failure,
  { names, found }: { readonly names: readonly string[]; readonly found: Catalog },
): Promise<Pick<Leftovers, 'replaceable' | 'baseline'>> {
  const replaceable = new Set<string>();
  let baseline: string | null = null;
  // Nothing is replaced for a migration that runs statement by statement, because no transaction would restore it.
  for (const name of migration.transactional ? pending : []) {
    await migratorFor(scratch).repeat([name]);
    const made = await readCatalog(scratch, schema);
    for (const object of names) if (isReplaceable(object, made, found)) replaceable.add(object);
    const differing = await restorableDifferences(scratch, schema, found, differences(made, found));
    if (differing.length === 0) baseline = name;
  }
  return { replaceable, baseline };
}
