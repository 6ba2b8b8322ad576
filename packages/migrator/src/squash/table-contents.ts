import type { MikroORM } from '@mikro-orm/postgresql';
import type { IgnoredObjects } from '../catalog/ignored-objects.ts';
import { tablesOf } from '../ledger/tables.ts';
import { poolSession } from '../session/session.ts';

/** The columns of tables and materialized views, by their quoted names. A sequence has no columns. */
export type ContentColumns = ReadonlyMap<string, readonly string[]>;

/** Digests of what tables, materialized views and sequences hold, by their quoted names. */
export type TableContents = ReadonlyMap<string, string>;

interface Source {
  readonly name: string;
  readonly isSequence: boolean;
  readonly columns: readonly string[];
}

/**
 * Returns a digest of the rows of each table, and the last value of each sequence, without those of the system, of extensions, of the
 * migrator and of `ignored`. Of the tables in `columns`, compares only these.
 */
export async function readContents(
  orm: MikroORM,
  {
    schema,
    ignored,
    columns,
  }: { readonly schema: string; readonly ignored: IgnoredObjects; readonly columns?: ContentColumns },
): Promise<TableContents> {
  const contents = new Map<string, string>();
  for (const { name, isSequence, columns: all } of await sourcesOf(orm, schema, ignored))
    contents.set(
      name,
      await (isSequence ? lastValue(orm, name) : digestOfRows(orm, name, columns?.get(name) ?? all)),
    );
  return contents;
}

/** Returns the columns whose values are the same in two databases, of the given tables. */
export async function stableColumns(
  [one, other]: readonly [MikroORM, MikroORM],
  {
    schema,
    ignored,
    tables,
  }: { readonly schema: string; readonly ignored: IgnoredObjects; readonly tables: readonly string[] },
): Promise<ContentColumns> {
  const stable = new Map<string, readonly string[]>();
  for (const { name, isSequence, columns } of await sourcesOf(one, schema, ignored)) {
    if (isSequence || !tables.includes(name)) continue;
    const kept: string[] = [];
    for (const column of columns)
      if ((await digestOfRows(one, name, [column])) === (await digestOfRows(other, name, [column])))
        kept.push(column);
    stable.set(name, kept);
  }
  return stable;
}

/** Returns the columns of the given tables that `stable` lacks: `table.column`. */
export async function unstableColumns(
  orm: MikroORM,
  {
    schema,
    ignored,
    stable,
  }: { readonly schema: string; readonly ignored: IgnoredObjects; readonly stable: ContentColumns },
): Promise<string[]> {
  return (await sourcesOf(orm, schema, ignored)).flatMap(({ name, columns }) =>
    columns
      .filter((column) => stable.get(name)?.includes(column) === false)
      .map((column) => `${name}.${column}`),
  );
}

async function sourcesOf(orm: MikroORM, schema: string, ignored: IgnoredObjects): Promise<Source[]> {
  const { log } = tablesOf(orm, schema);
  const rows = await poolSession(orm).query<
    Source & { readonly schema: string; readonly relation: string; readonly kind: string }
  >(
    `select format('%I.%I', nspname, relname) as name, relkind = 'S' as "isSequence", nspname as schema, relname as relation,
       case relkind when 'r' then 'table' when 'm' then 'materialized view' else 'sequence' end as kind,
       array(select quote_ident(attname) from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped order by attnum) as columns
     from pg_class c join pg_namespace n on n.oid = relnamespace
     where relkind in ('r', 'm', 'S') and relpersistence <> 't' and nspname <> $1 and nspname <> 'information_schema' and nspname !~ '^pg_'
       and c.oid <> coalesce(to_regclass($2), 0)
       and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid
         and (d.deptype = 'e' or (d.deptype in ('a', 'i') and d.refobjid = to_regclass($2))))
     order by 1`,
    [schema, log],
  );
  return rows
    .filter((row) => !ignored.hasNamed(row.schema, row.relation, row.kind))
    .map(({ name, isSequence, columns }) => ({ name, isSequence, columns: isSequence ? [] : columns }));
}

async function digestOfRows(orm: MikroORM, table: string, columns: readonly string[]): Promise<string> {
  const [row] = await poolSession(orm).query<{ digest: string }>(
    `select count(*) || ' ' || coalesce(md5(string_agg(hash, '' order by hash)), '') as digest
     from (select md5(row(${columns.join(', ')})::text) collate "C" as hash from ${table}) hashes`,
  );
  return row?.digest ?? '';
}

async function lastValue(orm: MikroORM, sequence: string): Promise<string> {
  const [row] = await poolSession(orm).query<{ value: string }>(
    `select last_value || ' ' || is_called as value from ${sequence}`,
  );
  return row?.value ?? '';
}
