import type { MikroORM } from '@mikro-orm/postgresql';
import { quotedName } from '../create/named-objects.ts';
import { inTransaction } from '../session/session.ts';

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

type Candidate = Omit<FilledColumn, 'table' | 'label'> & { readonly schema: string; readonly name: string };

/**
 * Returns the columns of a scratch database whose default PostgreSQL does not store for the rows that are there: a volatile one. Not those of
 * partitioned tables.
 */
export async function filledColumns(orm: MikroORM): Promise<FilledColumn[]> {
  const found = await inTransaction(orm, async (session) => {
    const candidates = await session.query<Candidate>(
      `select nspname as schema, relname as name, attname as column, pg_get_expr(adbin, adrelid) as default,
         format_type(atttypid, atttypmod)
           || coalesce(' collate ' || nullif(attcollation, typcollation)::regcollation::text, '') as type,
         array(select k.attname from pg_index join pg_attribute k on k.attrelid = indrelid and k.attnum = any (indkey)
           where indrelid = c.oid and indisprimary order by array_position(indkey, k.attnum))::text[] as keys
       from pg_attribute a join pg_attrdef on adrelid = attrelid and adnum = attnum join pg_type t on t.oid = atttypid
         join pg_class c on c.oid = attrelid and relkind = 'r' join pg_namespace n on n.oid = relnamespace
       where not atthasmissing and attgenerated = '' and attidentity = '' and nspname !~ '^pg_' and nspname <> 'information_schema'`,
    );
    if (candidates.length === 0) return [];
    // Each alone: one that is volatile has the table rewritten, and then no default is stored.
    await session.query('savepoint before_probes');
    await session.query(
      candidates
        .map((one, index) => `create temp table ${probe(index)} (); ${add(one, probe(index))}`)
        .join('; '),
    );
    const stored = await session.query<{ name: string }>(
      `select relname as name from pg_class join pg_attribute on attrelid = oid and atthasmissing where relnamespace = pg_my_temp_schema()`,
    );
    await session.query('rollback to before_probes');
    const names = new Set(stored.map(({ name }) => name));
    return candidates.filter((_, index) => !names.has(probe(index)));
  });
  return found.map(({ schema, name, ...column }) => ({
    ...column,
    table: quotedName({ schema, name }),
    label: schema === 'public' ? name : `${schema}.${name}`,
  }));
}

function probe(index: number): string {
  return `default_probe_${index}`;
}

function add({ type, default: value }: Candidate, table: string): string {
  return `alter table ${table} add value ${type} default ${value}`;
}
