import { hostname } from 'node:os';
import type { MigratorTables } from './tables.ts';
import type { Session } from '../session/session.ts';
import { systemUser } from '../session/system-user.ts';

export interface HistoryEntry {
  readonly name: string;
  readonly direction: 'up' | 'down' | 'baseline';
  readonly outcome: 'done' | 'failed' | 'interrupted';
  readonly checksum: string | null;
  /** As the database printed it; the current time when absent. */
  readonly startedAt?: string | undefined;
  readonly error?: string | undefined;
  readonly note?: string | undefined;
  readonly token: string;
}

const tool = 'mikro-orm-safe-migrations 1';

/** Adds an entry to the history, with the locks that the session's transaction holds. */
export async function addToHistory(
  session: Session,
  { history }: MigratorTables,
  entry: HistoryEntry,
): Promise<void> {
  await session.query(
    `insert into ${history} (name, direction, outcome, checksum, started_at, error, note, token, os_user, host, tool, locks)
     select $1, $2, $3, $4, coalesce($5::timestamptz, clock_timestamp()), $6, $7, $8, $9, $10, $11,
       (select jsonb_object_agg(relation::regclass::text, mode) from (
         select distinct on (relation) relation, mode from pg_locks join pg_class on pg_class.oid = relation
         where pid = pg_backend_pid() and locktype = 'relation' and relkind in ('r', 'p', 'm')
           and mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
           and relnamespace not in ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace)
         order by relation, mode = 'AccessExclusiveLock' desc, mode = 'ExclusiveLock' desc) held)`,
    [
      entry.name,
      entry.direction,
      entry.outcome,
      entry.checksum,
      entry.startedAt ?? null,
      entry.error ?? null,
      entry.note ?? null,
      entry.token,
      systemUser(),
      hostname(),
      tool,
    ],
  );
  // The last values of sequences would stay in a session that others use.
  await session.query('discard sequences');
}

/** The latest entry of a migration in the history. */
export interface LastEntry {
  readonly name: string;
  readonly direction: string;
  readonly checksum: string | null;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly role: string;
  readonly osUser: string | null;
  readonly host: string | null;
  readonly note: string | null;
}

/** Returns the latest successful entry of each migration: up, down or baseline. */
export async function lastEntries(
  session: Session,
  { history }: MigratorTables,
): Promise<Map<string, LastEntry>> {
  const rows = await session.query<LastEntry>(
    `select distinct on (name) name, direction, checksum, to_json(started_at) #>> '{}' as "startedAt", to_json(finished_at) #>> '{}' as "finishedAt",
       database_role as role, os_user as "osUser", host, note
     from ${history} where outcome = 'done' order by name, id desc`,
  );
  return new Map(rows.map((row) => [row.name, row]));
}
