import type { Session } from '../session/session.ts';
import { dropInvalidIndexes } from './remaining-statements.ts';
import type { Built, Target } from './statement-target.ts';

/** Returns the statements that drop the INVALID indexes which an unfinished statement has left, by what it worked on. */
export async function leftIndexes(target: Target, session: Session): Promise<string[]> {
  if ('what' in target) return dropInvalidIndexes(target, session);
  return 'index' in target ? invalidIndex(target, session) : [];
}

async function invalidIndex({ table, index }: Built, session: Session): Promise<string[]> {
  const rows = await session.query<{ name: string }>(
    // One that belongs to the index of a partitioned table can't be dropped.
    `select format('%I.%I', nspname, relname) as name
     from pg_index join pg_class on pg_class.oid = indexrelid join pg_namespace on pg_namespace.oid = relnamespace
     where indrelid = $1::oid and relname = $2 and not (indisvalid and indisready)
       and not exists (select from pg_inherits where inhrelid = indexrelid)`,
    [table, index],
  );
  return rows.map(({ name }) => `drop index concurrently if exists ${name}`);
}
