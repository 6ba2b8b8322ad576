import type { MikroORM } from '@mikro-orm/postgresql';
import { findExistingTables, type MigratorTables } from './tables.ts';
import type { CodeMigration } from '../files/code-migration.ts';
import { withPermissionHint } from '../session/with-permission-hint.ts';
import { lastEntries, ofChain, type LastEntry } from './history.ts';
import { readLog, type LogRow } from './log.ts';
import { takeOver, type Takeover } from './takeovers.ts';
import { readMigrations } from '../files/read-migrations.ts';
import { refuseContradictedLog } from './compare-log.ts';
import { poolSession, type Session } from '../session/session.ts';

/** A statement of an unfinished migration that runs outside a transaction. */
export interface Progress {
  readonly name: string;
  readonly direction: 'up' | 'down';
  readonly statement: number;
  /** Digest of its text. */
  readonly checksum: string;
  /** Whether it is known to be done; else it was sent and its outcome is unknown. */
  readonly done: boolean;
  /** The checkpoint of a backfill, or what a statement drops or indexes, as JSON; null for any other statement. */
  readonly place: string | null;
}

/** How the SQL of an applied migration compares with what was applied; `unknown` when either is not known. */
export type Edit = 'same' | 'different' | 'unknown';

/** What the database has recorded. */
export type Recorded = Pick<State, 'log' | 'history' | 'progress'>;

/** The migrations of the code, and what the database has recorded. */
export interface State {
  /** In the ORM's order. */
  readonly migrations: readonly CodeMigration[];
  /** In the order in which they were applied. A takeover has one row, in place of those that it replaces. */
  readonly log: readonly LogRow[];
  /** Takeovers that the database has not recorded yet. */
  readonly takeovers: readonly Takeover[];
  readonly history: ReadonlyMap<string, LastEntry>;
  readonly progress: readonly Progress[];
  /** Of applied migrations whose text differs from the recorded ones: whether their SQL does, where that was found out. */
  readonly edits: ReadonlyMap<string, Edit>;
}

/** Reads the state. Calls no migration, changes nothing, and creates no table. */
export async function readState(orm: MikroORM, tables: MigratorTables): Promise<State> {
  const migrations = await readMigrations(orm);
  return stateOf(migrations, await readDatabase(orm, tables));
}

/** Returns the state of a database, before any file is found to be edited. */
export function stateOf(migrations: readonly CodeMigration[], recorded: Recorded): State {
  return { migrations, edits: new Map(), ...recorded, ...takeOver({ migrations, ...recorded }) };
}

/** @throws MigrationRefusedError when the role may not read it all, or the log contradicts the history. */
export async function readDatabase(orm: MikroORM, tables: MigratorTables): Promise<Recorded> {
  return withPermissionHint(() => read(poolSession(orm), tables));
}

async function read(session: Session, tables: MigratorTables): Promise<Recorded> {
  const there = await findExistingTables(session, tables);
  const log = there.log ? await readLog(session, tables) : [];
  const history = there.history ? await lastEntries(session, tables) : new Map<string, LastEntry>();
  refuseContradictedLog({ log, history }, tables.log);
  const progress =
    there.log && there.progress
      ? await session.query<Progress>(
          `select name, direction, statement, checksum, done, place::text from ${tables.progress} progress
           where ${ofChain('progress')} and not ${isOutdated(tables)} order by name, direction, statement`,
          [tables.chain],
        )
      : [];
  return { log, history, progress };
}

/** Deletes the progress of migrations that another tool finished. */
export async function deleteOutdatedProgress(session: Session, tables: MigratorTables): Promise<void> {
  await session.query(
    `delete from ${tables.progress} progress where ${ofChain('progress')} and ${isOutdated(tables)}`,
    [tables.chain],
  );
}

/**
 * Returns SQL for whether another tool finished an interrupted migration: `up` adds it to the log in the transaction that deletes its
 * progress, and `down` removes it.
 */
function isOutdated({ log }: MigratorTables): string {
  // The ORM logs names with their extension in some versions.
  return `(direction = 'up') = exists (select from ${log} log where log.name in (progress.name, progress.name || '.js', progress.name || '.ts'))`;
}
