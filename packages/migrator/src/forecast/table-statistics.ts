import { userTables } from '../losses/tables-with-rows.ts';
import type { ColumnShape } from '../rows/shaped-value.ts';
import type { Session } from '../session/session.ts';

/** What the server knows of a table's rows; none of their values. */
export interface TableStatistics {
  /** Quoted as in SQL, without `public`. */
  readonly label: string;
  /** Of all its partitions, in bytes; without indexes and values that are stored apart. */
  readonly bytes: number;
  /** The number of rows, by the last `analyze` and the size since; null where it was never analyzed. */
  readonly rows: number | null;
  readonly columns: ReadonlyMap<string, ColumnShape>;
}

/** Returns the statistics of all tables of users, by their labels. Reads no row. `own` is the migrator's schema, `log` that of the ORM. */
export async function readStatistics(
  session: Session,
  own: string,
  log: string,
): Promise<ReadonlyMap<string, TableStatistics>> {
  const tables = await session.query<TableRow>(tablesQuery, [own, log]);
  const columns = await session.query<ColumnRow>(columnsQuery, [own, log]);
  return new Map(
    tables.map(({ label, bytes, rows }): [string, TableStatistics] => [
      label,
      {
        label,
        bytes: Number(bytes),
        rows: rows === null ? null : Math.round(rows),
        columns: new Map(
          columns.filter((column) => column.label === label).map((column) => [column.name, shapeOf(column)]),
        ),
      },
    ]),
  );
}

interface TableRow {
  readonly label: string;
  readonly bytes: string;
  readonly rows: number | null;
}

interface ColumnRow {
  readonly label: string;
  readonly name: string;
  readonly nullFraction: number;
  readonly width: number;
  readonly distinct: number;
  readonly correlation: number | null;
}

// From here on, values are read nearly in their order.
const ordered = 0.9;

function shapeOf({ nullFraction, width, distinct, correlation }: ColumnRow): ColumnShape {
  return { nullFraction, distinct, width, isOrdered: (correlation ?? 0) > ordered };
}

const label = `case nspname when 'public' then '' else quote_ident(nspname) || '.' end || quote_ident(relname)`;

// The planner, too, multiplies the pages that a table has now by the rows of a page at the last `analyze`.
const tablesQuery = `
  select ${label} as label, sum(pg_relation_size(leaf.oid))::text as bytes,
    case when bool_and(leaf.reltuples >= 0 and (leaf.relpages > 0 or pg_relation_size(leaf.oid) = 0)) then
      sum(case when leaf.relpages = 0 then 0
        else leaf.reltuples / leaf.relpages * (pg_relation_size(leaf.oid) / current_setting('block_size')::float8) end) end as rows
  from ${userTables} left join lateral (
      select c.oid, c.reltuples, c.relpages where c.relkind = 'r'
      union all
      select part.oid, part.reltuples, part.relpages from pg_partition_tree(c.oid) join pg_class part on part.oid = relid
        where isleaf and c.relkind = 'p'
    ) leaf on true
  group by 1`;

// Of a table with partitions, the statistics of all of them.
const columnsQuery = `
  select distinct on (c.oid, attname) ${label} as label, attname as name, null_frac::float8 as "nullFraction", avg_width as width,
    n_distinct::float8 as distinct, correlation::float8 as correlation
  from ${userTables} join pg_stats on schemaname = nspname and tablename = relname
  order by c.oid, attname, inherited desc`;
