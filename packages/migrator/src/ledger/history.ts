import { hostname } from 'node:os';
import type { Direction } from '../files/code-migration.ts';
import type { MigratorTables } from './tables.ts';
import type { Session } from '../session/session.ts';
import { systemUser } from '../session/system-user.ts';

/** What `repair` did. */
export type RepairAction = 'applied' | 'reverted' | 'abandon' | 'accept' | 'forget';

/**
 * What was done; `text`: the text of an applied migration was found to send the same SQL; `squash`: it was recorded as applied in place of
 * those that it replaces, and each of these as `replaced`; `purge`: what was parked was dropped, and the name is that of the object.
 */
export type HistoryAction = Direction | 'baseline' | 'text' | 'squash' | 'replaced' | 'purge' | RepairAction;

export interface HistoryEntry {
  readonly name: string;
  readonly direction: HistoryAction;
  readonly outcome: 'done' | 'failed' | 'interrupted';
  /** Digest of its SQL; null when it is not known, as for one that queries the database. */
  readonly checksum: string | null;
  /** Digest of its text. */
  readonly textDigest?: string | null | undefined;
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
  { history, chain }: MigratorTables,
  entry: HistoryEntry,
): Promise<void> {
  await session.query(
    `insert into ${history} (chain, name, direction, outcome, checksum, text_digest, started_at, error, note, token, os_user, host, tool, locks)
     select $13, $1, $2, $3, $4, $12, coalesce($5::timestamptz, clock_timestamp()), $6, $7, $8, $9, $10, $11,
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
      entry.textDigest ?? null,
      chain,
    ],
  );
  // The last values of sequences would stay in a session that others use.
  await session.query('discard sequences');
}

/** Returns SQL for whether a row of the history or the progress is of the chain `$1`. Those of an older version have none, or no such column. */
export function ofChain(table: string): string {
  return `coalesce(to_jsonb(${table}) ->> 'chain', '') in ('', $1)`;
}

/** The latest entry of a migration in the history. */
export interface LastEntry {
  readonly name: string;
  readonly direction: string;
  /** Digest of its SQL; null when it is not known. */
  readonly checksum: string | null;
  /** Digests of the texts that send that SQL; empty when none was recorded. */
  readonly textDigests: readonly string[];
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
  { history, chain }: MigratorTables,
): Promise<Map<string, LastEntry>> {
  const rows = await session.query<LastEntry>(
    // The table of an older version lacks the column.
    `with entry as (select *, to_jsonb(history) ->> 'text_digest' as text from ${history} history where outcome = 'done' and ${ofChain('history')}),
       last as (select distinct on (name) * from entry where direction not in ('text', 'accept') order by name, id desc)
     select name, direction,
       -- An edited file that was accepted counts from then on.
       (select checksum from entry e where e.name = last.name and e.id >= last.id and checksum is not null order by id desc limit 1) as checksum,
       to_json(started_at) #>> '{}' as "startedAt", to_json(finished_at) #>> '{}' as "finishedAt",
       database_role as role, os_user as "osUser", host, note,
       array(select distinct text from entry e where e.name = last.name and text is not null
         and e.id >= coalesce((select max(id) from entry a where a.name = last.name and direction = 'accept'), last.id) and e.id >= last.id) as "textDigests"
     from last`,
    [chain],
  );
  return new Map(rows.map((row) => [row.name, row]));
}

/** An entry of the history. Times are those of the database. */
export interface HistoryItem {
  readonly name: string;
  readonly action: HistoryAction;
  readonly outcome: 'done' | 'failed' | 'interrupted';
  readonly startedAt: Date;
  /** In milliseconds. */
  readonly duration: number;
  /** Database role, operating system's user and host. */
  readonly by: string;
  /** Why it failed; null when it did not. */
  readonly error: string | null;
  /** The reason of a repair, `out of order`, or who was interrupted; null for none. */
  readonly note: string | null;
  /** Tables on which it held a blocking lock, with the lock's mode; null for none. */
  readonly locks: Readonly<Record<string, string>> | null;
}

/** Returns the latest entries, newest first; none before the first migration. */
export async function readHistory(
  session: Session,
  { history, chain }: MigratorTables,
  limit: number,
): Promise<HistoryItem[]> {
  const [found] = await session.query('select where to_regclass($1) is not null', [history]);
  if (!found) return [];
  const rows = await session.query<Omit<HistoryItem, 'startedAt'> & { readonly startedAt: string }>(
    `select name, direction as action, outcome, to_json(started_at) #>> '{}' as "startedAt",
       round(extract(epoch from finished_at - started_at) * 1000)::int as duration,
       format('%s (%s@%s)', database_role, coalesce(os_user, '?'), coalesce(host, '?')) as by, error, note, locks
     from ${history} history where ${ofChain('history')} order by id desc limit $2`,
    [chain, limit],
  );
  return rows.map((row) => ({ ...row, startedAt: new Date(row.startedAt) }));
}
