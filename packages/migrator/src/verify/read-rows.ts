import type { TableCatalog } from '../rows/tables.ts';
import { printingSettings } from '../catalog/catalog.ts';
import { rowsMark } from '../catalog/server-guard.ts';
import type { TransactionSession } from '../session/session.ts';

/** The rows of a table: the texts of all columns, in their order. */
export interface TableRows {
  readonly schema: string;
  readonly relation: string;
  /** For display: quoted as in SQL, without `public`. */
  readonly label: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  /** The columns of its primary key, or of another unique key without NULLs; null without one. */
  readonly key: readonly string[] | null;
}

/** What a database holds. */
export interface Rows {
  /** By label. */
  readonly tables: ReadonlyMap<string, TableRows>;
  /** By label. */
  readonly sequences: ReadonlyMap<string, SequenceState>;
}

/** A sequence. */
interface SequenceState {
  readonly schema: string;
  readonly name: string;
  readonly next: bigint;
  /** The label of the table, and the column, that it belongs to; null for one that no column owns. */
  readonly owner: { readonly table: string; readonly column: string } | null;
}

/** Returns all rows and the next numbers of all sequences, as texts that are the same in each session. */
export async function readRows(session: TransactionSession, { tables }: TableCatalog): Promise<Rows> {
  await session.query(rowsMark + printingSettings);
  const found = new Map<string, TableRows>();
  const withColumns = tables.filter(({ columns }) => columns.length > 0);
  if (withColumns.length > 0) {
    const rows = await session.query<{ label: string; rows: (string | null)[][] }>(
      rowsMark +
        withColumns
          .map(
            ({ name, label, columns }) =>
              `select '${label.replaceAll("'", "''")}' as label, coalesce((select json_agg(array[${columns
                .map((column) => `"${column.name.replaceAll('"', '""')}"::text`)
                .join(', ')}]) from ${name}), '[]') as rows`,
          )
          .join(' union all '),
    );
    const byLabel = new Map(rows.map((row) => [row.label, row.rows]));
    for (const table of withColumns) {
      const { schema, relation, label } = table;
      const columns = table.columns.map(({ name }) => name);
      found.set(label, {
        schema,
        relation,
        label,
        columns,
        key: keyOf(table),
        rows: byLabel.get(label) ?? [],
      });
    }
  }
  return { tables: found, sequences: await nextNumbers(session) };
}

function keyOf({ keys, columns }: TableCatalog['tables'][number]): readonly string[] | null {
  const required = new Set(columns.filter(({ notNull }) => notNull).map(({ name }) => name));
  const usable = keys.filter(
    (key) =>
      !key.isPartial &&
      !key.isExclusion &&
      key.others.length === 0 &&
      key.columns.length > 0 &&
      key.columns.every((column) => required.has(column)),
  );
  return (usable.find(({ isPrimary }) => isPrimary) ?? usable[0])?.columns ?? null;
}

interface SequenceName {
  readonly quoted: string;
  readonly label: string;
  readonly schema: string;
  readonly name: string;
  readonly table: string | null;
  readonly column: string | null;
}

const labelOf = (relation: string) =>
  `(select case nspname when 'public' then '' else quote_ident(nspname) || '.' end || quote_ident(relname)
    from pg_class named join pg_namespace n on n.oid = relnamespace where named.oid = ${relation})`;

async function nextNumbers(session: TransactionSession): Promise<Map<string, SequenceState>> {
  const names = await session.query<SequenceName>(
    `${rowsMark}select format('%I.%I', nspname, relname) as quoted, ${labelOf('c.oid')} as label, nspname as schema, relname as name,
       ${labelOf('refobjid')} as table, attname as column
     from pg_class c join pg_namespace n on n.oid = relnamespace
       left join pg_depend d on classid = 'pg_class'::regclass and objid = c.oid and refclassid = 'pg_class'::regclass
         and deptype in ('a', 'i') and refobjsubid > 0
       left join pg_attribute on attrelid = refobjid and attnum = refobjsubid
     where relkind = 'S' and relpersistence <> 't' and nspname !~ '^pg_' and nspname <> 'information_schema'`,
  );
  if (names.length === 0) return new Map();
  const rows = await session.query<{ next: string }>(
    rowsMark +
      names
        .map(
          ({ quoted }, index) =>
            `select ${index} as position, (last_value::numeric + case when is_called then 1 else 0 end)::text as next from ${quoted}`,
        )
        .join(' union all ') +
      ' order by position',
  );
  return new Map(
    names.map(({ label, schema, name, table, column }, index) => [
      label,
      {
        schema,
        name,
        next: BigInt(rows[index]?.next ?? 0),
        owner: table === null || column === null ? null : { table, column },
      },
    ]),
  );
}
