import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import { inTransaction, poolSession } from '../session/session.ts';
import { findSqlState } from '../session/find-sql-state.ts';

/** The name of a table. */
export interface TableName {
  readonly schema: string;
  readonly name: string;
}

interface Table extends TableName {
  /** For display: quoted as in SQL, without `public`. */
  readonly label: string;
  readonly quoted: string;
  /** Whether this role may read all its rows. */
  readonly readable: boolean;
}

/**
 * SQL for the tables of users: partitioned ones and their partitions too; without those of the system, of extensions and of the
 * migrator. `$1` is the migrator's schema, `$2` the name of the ORM's log.
 */
export const userTables = `
  pg_class c join pg_namespace n on n.oid = relnamespace and relkind in ('r', 'p')
    and nspname !~ '^pg_' and nspname not in ('information_schema', $1) and c.oid is distinct from to_regclass($2)
    and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = c.oid and deptype = 'e')`;

// Each table is locked until the statement ends.
const batchSize = 100;

/** Returns the tables that hold rows, or whose rows this role can't read, sorted by name. */
export async function tablesWithRows({ orm, schema, tables }: MigratedDatabase): Promise<Table[]> {
  const found = await poolSession(orm).query<Table>(
    `select nspname as schema, relname as name, format('%I.%I', nspname, relname) as quoted,
       case nspname when 'public' then '' else quote_ident(nspname) || '.' end || quote_ident(relname) as label,
       has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') and not row_security_active(c.oid)
         as readable
     from ${userTables} order by nspname, relname`,
    [schema, tables.log],
  );
  const readable = found.filter((table) => table.readable);
  const empty = new Set<string>();
  for (let from = 0; from < readable.length; from += batchSize) {
    const some = readable.slice(from, from + batchSize).map(({ quoted }) => quoted);
    for (const one of await emptyOf(orm, some)) empty.add(one);
  }
  return found.filter(({ quoted }) => !empty.has(quoted));
}

/** Returns the tables without a row; an empty list when one of them is locked. */
async function emptyOf(orm: MigratedDatabase['orm'], quoted: readonly string[]): Promise<string[]> {
  try {
    return await inTransaction(orm, async (session) => {
      await session.query(`set local lock_timeout = '1s'`);
      const rows = await session.query<{ position: number }>(
        quoted
          .map((table, position) => `select ${position} as position where not exists (select from ${table})`)
          .join(' union all '),
      );
      return rows.flatMap(({ position }) => quoted[position] ?? []);
    });
  } catch (error) {
    if (findSqlState(error) === '55P03') return [];
    throw error;
  }
}
