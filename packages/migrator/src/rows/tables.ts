import { userTables } from '../losses/tables-with-rows.ts';
import { printingSettings } from '../catalog/catalog.ts';
import { isNotParked, isNotReplaced } from '../catalog/facts-in-sql.ts';
import { rowsMark } from '../catalog/server-guard.ts';
import type { Session } from '../session/session.ts';

/** A type, as rows of a table need it. */
export interface ValueType {
  readonly oid: string;
  /** As `format_type` prints it. */
  readonly name: string;
  /** The name in `pg_type`, such as `int4`. */
  readonly base: string;
  /** `b`, `c`, `d`, `e`, `r` or `m`, as in `pg_type.typtype`. */
  readonly kind: string;
  /** The oid of what a domain is based on, an array's element, or a range's subtype; null for others. */
  readonly of: string | null;
  readonly modifier: number;
  readonly isArray: boolean;
  readonly notNull: boolean;
  /** The values of an enum, in their order. */
  readonly labels: readonly string[];
  /** The expressions that a domain checks. */
  readonly checks: readonly string[];
  /** The oids of the types of a composite type's fields. */
  readonly fields: readonly string[];
}

/** A column. */
export interface Column {
  readonly name: string;
  /** The oid of its type. */
  readonly type: string;
  /** Its type with its modifier, as PostgreSQL prints it. */
  readonly declared: string;
  readonly modifier: number;
  readonly notNull: boolean;
  readonly default: string | null;
  readonly isIdentity: boolean;
  readonly isGenerated: boolean;
}

/** A foreign key. */
export interface ForeignKey {
  readonly name: string;
  readonly columns: readonly string[];
  /** The quoted name of the table that it refers to. */
  readonly target: string;
  readonly targetColumns: readonly string[];
  readonly cascades: boolean;
  /** Whether it holds for all rows, not for new ones alone. */
  readonly isValidated: boolean;
}

/** A unique index, or an exclusion constraint. */
interface Key {
  readonly name: string;
  readonly columns: readonly string[];
  /** Columns that its expressions and its predicate name, besides. */
  readonly others: readonly string[];
  readonly isPrimary: boolean;
  /** Whether it holds for rows of a predicate only. */
  readonly isPartial: boolean;
  readonly isExclusion: boolean;
}

/** A CHECK constraint. */
interface Check {
  readonly name: string;
  readonly columns: readonly string[];
  readonly expression: string;
  /** Whether it holds for all rows, not for new ones alone. */
  readonly isValidated: boolean;
}

/** A table that rows are inserted into; partitions are reached through theirs. */
export interface Table {
  /** Quoted, with its schema. */
  readonly name: string;
  /** For display: quoted as in SQL, without `public`. */
  readonly label: string;
  readonly schema: string;
  readonly relation: string;
  readonly columns: readonly Column[];
  readonly foreignKeys: readonly ForeignKey[];
  readonly keys: readonly Key[];
  readonly checks: readonly Check[];
  readonly isDeferrable: boolean;
  /** The names of its indexes, constraints, triggers and partitions. */
  readonly parts: readonly string[];
  /** The columns that decide the partition, at any level. */
  readonly partitionColumns: readonly string[];
  /** The bounds of its partitions, as PostgreSQL prints them. */
  readonly bounds: readonly string[];
  /** Predicates and expressions of indexes. */
  readonly expressions: readonly string[];
  /** The bodies of the functions of its triggers. */
  readonly bodies: readonly string[];
}

/** The tables of a database, parents before their children, and the types of their columns by oid. */
export interface TableCatalog {
  readonly tables: readonly Table[];
  readonly types: ReadonlyMap<string, ValueType>;
}

const names = (attributes: string, relation: string) =>
  `array(select attname from unnest(${attributes}) with ordinality listed(number, position)
    join pg_attribute on attrelid = ${relation} and attnum = number order by position)`;

const tablesQuery = `
  with relation as materialized (
    select c.oid, c.relkind, nspname, relname, format('%I.%I', nspname, relname) as name,
      case nspname when 'public' then '' else quote_ident(nspname) || '.' end || quote_ident(relname) as label
    from ${userTables} where not c.relispartition and c.relpersistence <> 't' and ${isNotParked('c.oid', '0')}
  )
  select json_agg(json_build_object('name', r.name, 'label', label, 'schema', nspname, 'relation', relname,
    'columns', (select json_agg(json_build_object('name', attname, 'type', atttypid::text,
        'declared', format_type(atttypid, atttypmod), 'modifier', atttypmod, 'notNull', attnotnull,
        'default', case when attgenerated = '' then pg_get_expr(adbin, adrelid) end,
        'isIdentity', attidentity <> '', 'isGenerated', attgenerated <> '') order by attnum)
      from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
      -- New code writes no value that is parked, or that a trigger copies.
      where attrelid = r.oid and attnum > 0 and not attisdropped and ${isNotParked('r.oid', 'attnum')}
        and ${isNotReplaced('r.oid', 'pg_class', 'attnum')}),
    'foreignKeys', (select json_agg(json_build_object('name', conname, 'columns', ${names('conkey', 'conrelid')}, 'target', target.name,
        'targetColumns', ${names('confkey', 'confrelid')}, 'cascades', confdeltype in ('c', 'n', 'd'), 'isValidated', convalidated) order by conname)
      from pg_constraint join relation target on target.oid = confrelid
      where conrelid = r.oid and contype = 'f' and conparentid = 0 and ${isNotReplaced('pg_constraint.oid', 'pg_constraint')}),
    'keys', (select json_agg(json_build_object('name', (select relname from pg_class i where i.oid = indexrelid), 'columns', ${names('indkey::int2[]', 'indrelid')},
        'others', array(select attname from pg_depend join pg_attribute on attrelid = refobjid and attnum = refobjsubid
          where classid = 'pg_class'::regclass and objid = indexrelid and refobjid = indrelid and attnum > 0
            and attnum <> all(indkey::int2[]) order by attnum),
        'isPrimary', indisprimary, 'isPartial', indpred is not null, 'isExclusion', indisexclusion) order by indexrelid)
      from pg_index where indrelid = r.oid and (indisunique or indisexclusion) and indisvalid and ${isNotReplaced('indexrelid', 'pg_class')}),
    'checks', (select json_agg(json_build_object('name', conname, 'columns', ${names('conkey', 'conrelid')},
        'expression', pg_get_expr(conbin, conrelid), 'isValidated', convalidated) order by conname)
      from pg_constraint where conrelid = r.oid and contype = 'c' and ${isNotReplaced('pg_constraint.oid', 'pg_constraint')}),
    'isDeferrable', exists (select from pg_constraint where conrelid = r.oid and condeferrable),
    'parts', array(select conname from pg_constraint where conrelid = r.oid
      union select relname from pg_index join pg_class i on i.oid = indexrelid where indrelid = r.oid
      union select unnest(array[tgname, proname]) from pg_trigger join pg_proc p on p.oid = tgfoid
        where tgrelid = r.oid and not tgisinternal
      union select relname from pg_partition_tree(r.oid) join pg_class on oid = relid),
    'partitionColumns', array(select distinct attname from pg_partition_tree(r.oid) join pg_partitioned_table on partrelid = relid
      join pg_attribute on attrelid = partrelid and attnum = any(partattrs)),
    'bounds', array(select pg_get_expr(relpartbound, c.oid) from pg_partition_tree(r.oid) join pg_class c on c.oid = relid
        where relpartbound is not null order by c.oid),
    'expressions', array(select pg_get_expr(indpred, indrelid) from pg_index where indrelid = r.oid and indpred is not null
      union select pg_get_expr(indexprs, indrelid) from pg_index where indrelid = r.oid and indexprs is not null),
    'bodies', array(select distinct prosrc from pg_trigger join pg_proc p on p.oid = tgfoid where tgrelid = r.oid and not tgisinternal)
  ) order by r.name) as tables from relation r`;

const typesQuery = `
  with recursive used (oid) as (
    select distinct atttypid from pg_attribute join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = relnamespace
      where relkind in ('r', 'p') and attnum > 0 and not attisdropped and nspname !~ '^pg_' and nspname <> 'information_schema'
    union
    select next.oid from used join pg_type t on t.oid = used.oid,
      lateral (select typbasetype union select typelem union select rngsubtype from pg_range where rngtypid = t.oid
        union select rngsubtype from pg_range where to_jsonb(pg_range) ->> 'rngmultitypid' = t.oid::text
        union select atttypid from pg_attribute where attrelid = t.typrelid and attnum > 0 and not attisdropped) next (oid)
      where next.oid <> 0
  )
  select json_agg(json_build_object('oid', t.oid::text, 'name', format_type(t.oid, null), 'base', typname, 'kind', typtype,
    'of', coalesce(nullif(typbasetype, 0), (select rngsubtype from pg_range where rngtypid = t.oid
        or to_jsonb(pg_range) ->> 'rngmultitypid' = t.oid::text), case when typcategory = 'A' then nullif(typelem, 0) end)::text,
    'modifier', typtypmod, 'isArray', typcategory = 'A', 'notNull', typnotnull,
    'labels', array(select enumlabel from pg_enum where enumtypid = t.oid order by enumsortorder),
    'checks', array(select pg_get_expr(conbin, 0) from pg_constraint where contypid = t.oid and contype = 'c' order by conname),
    'fields', array(select atttypid::text from pg_attribute where attrelid = t.typrelid and attrelid <> 0 and attnum > 0
      and not attisdropped order by attnum)
  )) as types from used join pg_type t on t.oid = used.oid`;

/** Returns the tables of users, in the transaction of `session`, without those of `schema` and the ORM's log. */
export async function readTables(session: Session, schema: string, log: string): Promise<TableCatalog> {
  await session.query(rowsMark + printingSettings);
  const [found] = await session.query<{ tables: Table[] | null }>(rowsMark + tablesQuery, [schema, log]);
  const [typed] = await session.query<{ types: ValueType[] | null }>(rowsMark + typesQuery);
  const tables = (found?.tables ?? []).map((table) => ({
    ...table,
    columns: table.columns ?? [],
    foreignKeys: table.foreignKeys ?? [],
    keys: table.keys ?? [],
    checks: table.checks ?? [],
  }));
  return {
    tables: parentsFirst(tables),
    types: new Map((typed?.types ?? []).map((type) => [type.oid, type])),
  };
}

/** Sorts tables so that those that a row must refer to come first; where they form a circle, by name. */
function parentsFirst(tables: readonly Table[]): Table[] {
  const sorted: Table[] = [];
  let remaining = [...tables];
  while (remaining.length > 0) {
    const waits = (table: Table, isOptional: (key: ForeignKey) => boolean): boolean =>
      table.foreignKeys.some(
        (key) =>
          key.target !== table.name &&
          !isOptional(key) &&
          remaining.some((other) => other.name === key.target),
      );
    const next =
      remaining.find((table) => !waits(table, () => false)) ??
      remaining.find((table) => !waits(table, (key) => isNullable(table, key))) ??
      remaining[0];
    if (!next) break;
    sorted.push(next);
    remaining = remaining.filter((table) => table !== next);
  }
  return sorted;
}

/** Whether a row may have no parent by this key. */
export function isNullable(table: Table, key: ForeignKey): boolean {
  return table.columns.some(({ name, notNull }) => !notNull && key.columns.includes(name));
}

/** Returns the type without the domains around it, and its modifier. */
export function resolvedType(
  { types }: TableCatalog,
  oid: string,
  modifier: number,
): { readonly type: ValueType | undefined; readonly modifier: number } {
  let type = types.get(oid);
  let found = modifier;
  while (type?.kind === 'd' && type.of !== null) {
    if (found < 0) found = type.modifier;
    type = types.get(type.of);
  }
  return { type, modifier: found };
}
