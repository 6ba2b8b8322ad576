import type { MikroORM } from '@mikro-orm/postgresql';
import { tryStatement } from '../catalog/restorable-differences.ts';
import { inTransaction } from '../session/session.ts';
import { parkedMark } from '../sql/marks/parking-mark.ts';
import { replacedMark } from '../sql/marks/replaced-mark.ts';

/**
 * Drops from a scratch database the columns that are parked, or that others replace, with their triggers: no catalog contains them, but the
 * ORM would read them. One that a view uses stays.
 */
export async function dropLeftOut(scratch: MikroORM): Promise<void> {
  await inTransaction(scratch, async (session) => {
    const found = await session.query<{ sql: string }>(leftOutQuery, [parkedMark, replacedMark]);
    for (const { sql } of found) await tryStatement(session, sql);
  });
}

// Triggers first, which use the columns and the functions.
const leftOutQuery = `
  select sql from (
    select 1 as turn, format('drop trigger %I on %s', tgname, tgrelid::regclass) as sql, description
    from pg_description join pg_trigger on classoid = 'pg_trigger'::regclass and oid = objoid
    union all
    select 2, 'drop function ' || oid::regprocedure, description
    from pg_description join pg_proc on classoid = 'pg_proc'::regclass and oid = objoid
    union all
    select 3, format('alter table %s drop column %I', attrelid::regclass, attname), description
    from pg_description join pg_attribute on classoid = 'pg_class'::regclass and attrelid = objoid and attnum = objsubid and objsubid > 0
  ) dropped where starts_with(description, $1) or starts_with(description, $2) order by turn`;
