import type { MikroORM } from '@mikro-orm/postgresql';
import { quotedName } from '../create/named-objects.ts';
import { poolSession } from '../session/session.ts';

/** A column with a default whose value differs from row to row, so that PostgreSQL writes every row anew when it is added. */
export interface FilledColumn {
  /** The quoted name. */
  readonly table: string;
  /** The table's name for `backfill`. */
  readonly label: string;
  readonly column: string;
  /** With its collation. */
  readonly type: string;
  readonly default: string;
  /** The columns of the primary key, in its order; empty without one. */
  readonly keys: readonly string[];
}

/** Returns the columns of a database whose default PostgreSQL did not store for the rows that were there: a volatile one. */
export async function filledColumns(orm: MikroORM): Promise<FilledColumn[]> {
  const found = await poolSession(orm).query<
    Omit<FilledColumn, 'table' | 'label'> & { readonly schema: string; readonly name: string }
  >(
    `select nspname as schema, relname as name, attname as column, pg_get_expr(adbin, adrelid) as default,
       format_type(atttypid, atttypmod)
         || coalesce(' collate ' || nullif(attcollation, typcollation)::regcollation::text, '') as type,
       array(select k.attname from pg_index join pg_attribute k on k.attrelid = indrelid and k.attnum = any (indkey)
         where indrelid = c.oid and indisprimary order by array_position(indkey, k.attnum))::text[] as keys
     from pg_attribute a join pg_attrdef on adrelid = attrelid and adnum = attnum
       join pg_type t on t.oid = atttypid join pg_class c on c.oid = attrelid and relkind in ('r', 'p') join pg_namespace n on n.oid = relnamespace
     where not atthasmissing and attgenerated = '' and attidentity = '' and nspname !~ '^pg_' and nspname <> 'information_schema'`,
  );
  return found.map(({ schema, name, ...column }) => ({
    ...column,
    table: quotedName({ schema, name }),
    label: schema === 'public' ? name : `${schema}.${name}`,
  }));
}
