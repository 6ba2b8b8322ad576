import { isNativeError } from 'node:util/types';
import type { MikroORM } from '@mikro-orm/postgresql';
import { findExistingTables, type MigratorTables } from './tables.ts';
import { readEmittedMigration, type EmittedMigration } from '../files/emitted-migration.ts';
import { MigratorError, MigrationRefusedError } from '../session/errors.ts';
import { withPermissionHint } from '../session/with-permission-hint.ts';
import { lastEntries, type LastEntry } from './history.ts';
import { refuseContradictedLog } from './compare-log.ts';
import { migrationFiles, withoutExtension } from '../files/migration-files.ts';
import { poolSession, type Session } from '../session/session.ts';

/** A row of the ORM's list of applied migrations. */
export interface LogRow {
  readonly id: number;
  readonly name: string;
  /** ISO 8601, independent of session settings. */
  readonly executedAt: string;
}

/** A statement of an unfinished migration that runs outside a transaction. */
export interface Progress {
  readonly name: string;
  readonly direction: 'up' | 'down';
  readonly statement: number;
  readonly checksum: string;
  /** Whether it is known to be done; else it was sent and its outcome is unknown. */
  readonly done: boolean;
  /** The checkpoint of a backfill, or the object that a statement drops, as JSON; null for any other statement. */
  readonly place: string | null;
}

/** The migrations of the code, and what the database has recorded. */
export interface State {
  /** In the order of their names. */
  readonly migrations: readonly EmittedMigration[];
  /** In the order in which they were applied. */
  readonly log: readonly LogRow[];
  readonly history: ReadonlyMap<string, LastEntry>;
  readonly progress: readonly Progress[];
}

/** Reads the state. Changes nothing, and creates no table. */
export async function readState(orm: MikroORM, tables: MigratorTables): Promise<State> {
  // In sequence: closing the ORM after a file failed to load would wait for a connection that is being opened.
  const migrations = await readMigrations(orm);
  return { migrations, ...(await readDatabase(orm, tables)) };
}

/**
 * Reads the migrations of the code. Opens no connection.
 *
 * @throws MigrationRefusedError when one can't be read.
 */
export async function readMigrations(orm: MikroORM): Promise<EmittedMigration[]> {
  const files = await migrationFiles(orm);
  return Promise.all(
    files.map((file) =>
      readEmittedMigration(orm, file).catch((cause: unknown) => {
        if (cause instanceof MigratorError) throw cause;
        const why = isNativeError(cause) ? cause.message : String(cause);
        throw new MigrationRefusedError(`${file.name} can't be read: ${why}`, { cause });
      }),
    ),
  );
}

/** @throws MigrationRefusedError when the role may not read it all, or the log contradicts the history. */
export async function readDatabase(
  orm: MikroORM,
  tables: MigratorTables,
): Promise<Omit<State, 'migrations'>> {
  return withPermissionHint(() => read(poolSession(orm), tables));
}

async function read(session: Session, tables: MigratorTables): Promise<Omit<State, 'migrations'>> {
  const there = await findExistingTables(session, tables);
  const log = there.log ? await readLog(session, tables) : [];
  const history = there.history ? await lastEntries(session, tables) : new Map<string, LastEntry>();
  refuseContradictedLog({ log, history }, tables.log);
  const progress =
    there.log && there.progress
      ? await session.query<Progress>(
          `select name, direction, statement, checksum, done, place::text from ${tables.progress} progress
           where not ${isOutdated(tables)} order by name, direction, statement`,
        )
      : [];
  return { log, history, progress };
}

/** Deletes the progress of migrations that another tool finished. */
export async function deleteOutdatedProgress(session: Session, tables: MigratorTables): Promise<void> {
  await session.query(`delete from ${tables.progress} progress where ${isOutdated(tables)}`);
}

/**
 * Returns SQL for whether another tool finished an interrupted migration: `up` adds it to the log in the transaction that deletes its
 * progress, and `down` removes it.
 */
function isOutdated({ log }: MigratorTables): string {
  // The ORM logs names with their extension in some versions.
  return `(direction = 'up') = exists (select from ${log} log where log.name in (progress.name, progress.name || '.js', progress.name || '.ts'))`;
}

/** Returns the applied migrations in the order of application, by the names that the code has for them. */
export async function readLog(session: Session, tables: MigratorTables): Promise<LogRow[]> {
  const rows = await session.query<LogRow>(
    `select id, name, to_json(executed_at) #>> '{}' as "executedAt" from ${tables.log} order by id`,
  );
  return rows.map((row) => ({ ...row, name: withoutExtension(row.name) }));
}
