import type { Session } from '../session/session.ts';
import { replacedMark } from '../sql/marks/replaced-mark.ts';

/** A column that another one replaces, and that waits to be dropped. */
export interface ReplacedColumn {
  /** Schema-qualified outside `public`. */
  readonly table: string;
  readonly column: string;
  /** The column of the same table that has its values. */
  readonly by: string;
}

/** A replaced column, by its names in the catalog. */
export interface FoundReplacement extends ReplacedColumn {
  readonly schema: string;
  readonly relation: string;
}

/** Returns the columns that wait to be dropped because others replace them, in the order of their names. */
export async function replacedColumns(session: Session): Promise<ReplacedColumn[]> {
  return (await findReplaced(session)).map(({ table, column, by }) => ({ table, column, by }));
}

/** Returns what `replacedColumns` does, with the names in the catalog. */
export function findReplaced(session: Session): Promise<FoundReplacement[]> {
  return session.query<FoundReplacement>(
    `select nspname as schema, relname as relation, case nspname when 'public' then '' else nspname || '.' end || relname as table,
       attname as column, description::jsonb #>> '{replaced,by}' as by
     from (select * from pg_description where classoid = 'pg_class'::regclass and objsubid > 0 and starts_with(description, $1) offset 0) d
       join pg_class c on c.oid = objoid join pg_namespace n on n.oid = relnamespace
       join pg_attribute on attrelid = objoid and attnum = objsubid and not attisdropped
     order by 1, 2, 4`,
    [replacedMark],
  );
}
