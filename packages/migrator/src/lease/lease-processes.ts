import type { Session } from '../session/session.ts';
import { findSqlState } from '../session/find-sql-state.ts';

/** A server process; its start time distinguishes it from a later one with the same id. */
export interface Backend {
  readonly pid: number;
  /** When it started, in seconds since 1970, as text: independent of session settings. */
  readonly startedAt: string;
}

/** A process that could not be terminated. */
export interface RemainingWorker {
  readonly pid: number;
  readonly role: string | null;
}

/** Returns the comment before a statement outside a transaction, by which its process is found, also behind a pooler. */
export function fencingComment(table: string, token: string): string {
  return `/* ${table} ${token} */ `;
}

/** Returns SQL for the shared lock that marks a holder's transaction until it ends. It blocks nothing. */
export function transactionLock(table: string, token: string): string {
  return `pg_advisory_xact_lock_shared('${table}'::regclass::oid::int, ${lockNumber(token)})`;
}

/** Returns SQL that selects the processes that work for the holder of `token`, in transactions and outside. */
export function workersOf(table: string, token: string): string {
  return `${inTransactions(table, token)} union ${onMarkedStatements(table)} = ${token}`;
}

function inTransactions(table: string, token: string): string {
  return `
    select pid from pg_locks
    where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())
      and classid = '${table}'::regclass and objid = ${lockNumber(token)} and objsubid = 2`;
}

/** Returns SQL that ends in the token of a marked statement, for a comparison to follow. */
function onMarkedStatements(table: string): string {
  return `
    select pid from pg_stat_activity
    where datname = current_database() and backend_type = 'client backend' and state = 'active'
      and case when starts_with(query, '/* ${table} ') then split_part(query, ' ', 3)::numeric end`;
}

/** Reads the process of a connection. */
export async function readBackend(session: Session): Promise<Backend> {
  const [found] = await session.query<Backend>(
    `select pid, extract(epoch from backend_start)::text as "startedAt" from pg_stat_activity where pid = pg_backend_pid()`,
  );
  if (!found)
    throw new Error('pg_stat_activity does not list this connection; connect as a role that may read it');
  return found;
}

/**
 * Terminates the processes that work for the holder of `token` or earlier ones, and `backends`. Returns those that still run: this role
 * may not terminate them, or they have not ended yet.
 */
export async function terminateWorkers(
  session: Session,
  table: string,
  token: string,
  backends: readonly Backend[] = [],
): Promise<RemainingWorker[]> {
  // Few roles may read when another role's process started. Without a start time, the process id alone decides.
  const wanted = `select pid, usename as role from pg_stat_activity where pid in (${inTransactions(table, token)} union ${onMarkedStatements(table)} <= ${token})
    or exists (select from jsonb_to_recordset($1) as known (pid int, "startedAt" numeric)
      where known.pid = pg_stat_activity.pid and coalesce(extract(epoch from backend_start), "startedAt") = "startedAt")`;
  const list = JSON.stringify(backends);
  const found = await session.query<RemainingWorker>(wanted, [list]);
  if (found.length === 0) return [];
  for (const { pid } of found) {
    try {
      await session.query(`select pg_terminate_backend(pid, 1000) from (${wanted}) as it where pid = $2`, [
        list,
        pid,
      ]);
    } catch (error) {
      if (findSqlState(error) !== '42501') throw error;
    }
  }
  return session.query<RemainingWorker>(wanted, [list]);
}

function lockNumber(token: string): string {
  return String(BigInt(token) % 2n ** 31n);
}
