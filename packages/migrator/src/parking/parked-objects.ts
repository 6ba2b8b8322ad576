import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import type { Lease } from '../lease/lease.ts';
import { addToHistory } from '../ledger/history.ts';
import { retryWhileLocked, type Patience } from '../run/locks/retry-while-locked.ts';
import { describeServerError } from '../session/describe-server-error.ts';
import { MigrationRefusedError, MigratorError } from '../session/errors.ts';
import { findSqlState } from '../session/find-sql-state.ts';
import { inTransaction, poolSession, type Session } from '../session/session.ts';
import { parkedMark } from '../sql/marks/parking-mark.ts';

/** A column or table that a migration parked. */
export interface ParkedObject {
  /** Schema-qualified outside `public`. */
  readonly table: string;
  /** Null for the whole table. */
  readonly column: string | null;
  readonly since: Date;
}

interface FoundObject extends Omit<ParkedObject, 'since'> {
  readonly since: string;
  readonly isOld: boolean;
  /** The statement that drops it. */
  readonly drop: string;
}

/** Returns what is parked, the oldest first. */
export async function parkedObjects(session: Session): Promise<ParkedObject[]> {
  return (await find(session, null)).map(({ table, column, since }) => ({
    table,
    column,
    since: new Date(since),
  }));
}

/**
 * Implements `Migrator.purge`, for the holder of the lease. Each object is dropped in a transaction that records it in the history.
 *
 * @throws MigrationRefusedError when `olderThan` is not an interval; MigratorError `failed` when PostgreSQL refuses to drop one: those before it
 * stay dropped.
 */
export async function purge(
  { orm, tables }: MigratedDatabase,
  lease: Lease,
  olderThan: string,
  patience: Patience,
): Promise<ParkedObject[]> {
  const purged: ParkedObject[] = [];
  for (const { table, column, since, isOld, drop } of await findOlder(poolSession(orm), olderThan)) {
    if (!isOld) continue;
    const name = column === null ? table : `${table}.${column}`;
    const dropIt = (): Promise<void> =>
      inTransaction(orm, async (session) => {
        await lease.guard(session);
        await session.query(`set local lock_timeout = '${patience.limits.lockTimeout}ms'`);
        await session.query(drop);
        await addToHistory(session, tables, {
          name,
          direction: 'purge',
          outcome: 'done',
          checksum: null,
          note: `parked since ${since}`,
          token: lease.token,
        });
      });
    try {
      await retryWhileLocked(patience, name, dropIt);
    } catch (error) {
      if (findSqlState(error) === '') throw error;
      throw new MigratorError('failed', `${name} was not purged: ${describeServerError(error, [drop])}`, {
        cause: error,
      });
    }
    purged.push({ table, column, since: new Date(since) });
  }
  return purged;
}

async function findOlder(session: Session, olderThan: string): Promise<FoundObject[]> {
  try {
    return await find(session, olderThan);
  } catch (error) {
    // Not an interval, or one that PostgreSQL can't hold.
    if (!['22007', '22008', '22015'].includes(findSqlState(error))) throw error;
    throw new MigrationRefusedError(
      `${JSON.stringify(olderThan)} is not an interval that PostgreSQL reads: such as "30 days" or "6 months"`,
      { cause: error },
    );
  }
}

/** Returns what is parked, the oldest first, and whether it has been for longer than an interval. */
async function find(session: Session, olderThan: string | null): Promise<FoundObject[]> {
  return session.query<FoundObject>(
    `select case nspname when 'public' then '' else quote_ident(nspname) || '.' end
        || case objsubid when 0 then quote_ident(parked ->> 'name') else quote_ident(relname) end as table,
       case when objsubid > 0 then parked ->> 'name' end as column, parked ->> 'at' as since,
       coalesce((parked ->> 'at')::timestamptz < now() - $2::interval, false) as "isOld",
       case objsubid when 0 then format('drop table %I.%I', nspname, relname)
         else format('alter table %I.%I drop column %I', nspname, relname, attname) end as drop
     from (
       select objoid, objsubid, description::jsonb -> 'parked' as parked from pg_description
       where classoid = 'pg_class'::regclass and starts_with(description, $1) offset 0
     ) d
       join pg_class c on c.oid = objoid join pg_namespace n on n.oid = relnamespace
       left join pg_attribute a on attrelid = objoid and attnum = objsubid and objsubid > 0
     -- Without the columns of partitions, which go with those of their table.
     where parked ->> 'name' is not null
     order by (parked ->> 'at')::timestamptz, 1, 2`,
    [parkedMark, olderThan],
  );
}
