import { rowsMark } from '../catalog/server-guard.ts';
import { rank } from '../lint/observation/locks.ts';
import type { Session } from '../session/session.ts';

/** A lock that a session holds. */
export interface HeldLock {
  /** Quoted as in SQL, without `public`. */
  readonly table: string;
  readonly mode: string;
}

/**
 * Returns the strongest lock that a session holds on each table, in the order of the tables' names, as another session sees it: without tables
 * that its transaction created, and without locks of readers. `own` is the migrator's schema, `log` the name of the ORM's log.
 */
export async function readLocks(
  session: Session,
  { pid, own, log }: { readonly pid: number; readonly own: string; readonly log: string },
): Promise<HeldLock[]> {
  const held = await session.query<HeldLock>(rowsMark + locksQuery, [pid, own, log]);
  const strongest = new Map<string, HeldLock>();
  for (const lock of held) {
    const known = strongest.get(lock.table);
    if (rank(lock.mode) > rank(known?.mode ?? 'RowShareLock')) strongest.set(lock.table, lock);
  }
  return [...strongest.values()];
}

// A plan of any query of a table opens all its indexes, so that a lock that stops readers of an index stops those of its table.
const locksQuery = `
  select case nspname when 'public' then '' else quote_ident(nspname) || '.' end || quote_ident(t.relname) as table, mode
  from pg_locks l join pg_class c on c.oid = relation left join pg_index on indexrelid = c.oid
    join pg_class t on t.oid = coalesce(indrelid, c.oid) join pg_namespace n on n.oid = t.relnamespace
  where pid = $1 and locktype = 'relation' and granted and database = (select oid from pg_database where datname = current_database())
    and (c.relkind in ('r', 'p', 'm') or c.relkind in ('i', 'I') and mode = 'AccessExclusiveLock')
    and nspname !~ '^pg_' and nspname not in ('information_schema', $2) and t.oid is distinct from to_regclass($3)
  order by 1`;
