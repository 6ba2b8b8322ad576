import type { MikroORM } from '@mikro-orm/postgresql';
import { printingSettings } from '../catalog/catalog.ts';
import { isNotReplaced } from '../catalog/facts-in-sql.ts';
import { inTransaction } from '../session/session.ts';

/** An index, a constraint or a statistics object that contains a column. */
export interface ColumnPart {
  readonly oid: string;
  readonly kind: 'check' | 'foreign key' | 'unique' | 'index' | 'statistics';
  readonly name: string;
  /** The text after the name of a constraint; the statement that creates any other part. */
  readonly definition: string;
  /** The statement that creates the index of a unique constraint; null for any other part. */
  readonly index: string | null;
  /** The clauses of a constraint that is checked at the commit, with a space before them; or empty. */
  readonly deferral: string;
  readonly isValidated: boolean;
  /** The table that a foreign key refers to, without `public`; null for any other part. */
  readonly references: string | null;
  readonly comment: string | null;
  /** The comment of the index of a unique constraint. */
  readonly indexComment: string | null;
}

/** A column that is computed from another one. */
interface ComputedColumn {
  readonly name: string;
  readonly expression: string;
  /** Whether its values are stored, so that they are all computed anew when the expression changes. */
  readonly isStored: boolean;
}

/** A column with all that belongs to it, as PostgreSQL prints it with an empty search path. */
export interface ColumnWithParts {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly isRequired: boolean;
  readonly default: string | null;
  /** Whether the default has another value each time it is computed. */
  readonly isVolatile: boolean;
  readonly collation: string | null;
  readonly comment: string | null;
  /** Actions of `alter column` that set what is not the default of the type: `set storage external`. */
  readonly settings: readonly string[];
  /** What is granted on the column: `select ("note") … to reader`, with `%s` for the table. */
  readonly grants: readonly { readonly privilege: string; readonly to: string; readonly option: boolean }[];
  readonly parts: readonly ColumnPart[];
  readonly computed: readonly ComputedColumn[];
  /** All computed columns of the table. */
  readonly generated: readonly string[];
  /** The columns of the table's primary key. */
  readonly key: readonly string[];
  /** Why it can't be copied by a trigger; empty where it can. */
  readonly obstacles: readonly string[];
}

/** Returns a column and all that belongs to it; null where no column has that name. */
export async function readColumn(
  orm: MikroORM,
  { schema, table, name }: Pick<ColumnWithParts, 'schema' | 'table' | 'name'>,
): Promise<ColumnWithParts | null> {
  return inTransaction(orm, async (session) => {
    await session.query(printingSettings);
    const [row] = await session.query<{ state: string }>(columnQuery, [schema, table, name]);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the query builds this object
    return row ? (JSON.parse(row.state) as ColumnWithParts) : null;
  });
}

const list = (object: string, from: string): string =>
  `coalesce((select jsonb_agg(${object}) from ${from}), '[]')`;

/** Selects what depends on the column `number` of the table. */
const dependents = (number: string): string =>
  `pg_depend d where d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid and d.refobjsubid = ${number}`;

const partsOf = (number: string): string => `(
    select o.oid, case contype when 'c' then 'check' when 'f' then 'foreign key' else 'unique' end as kind, conname as name,
      pg_get_constraintdef(o.oid) as definition, case contype when 'u' then pg_get_indexdef(conindid) end as index,
      case when condeferrable then case when condeferred then ' deferrable initially deferred' else ' deferrable' end else '' end as deferral,
      convalidated as validated,
      (select case nspname when 'public' then '' else nspname || '.' end || relname from pg_class f join pg_namespace s on s.oid = f.relnamespace
        where f.oid = confrelid) as referred, obj_description(o.oid, 'pg_constraint') as comment,
      case contype when 'u' then obj_description(conindid, 'pg_class') end as index_comment
    from pg_constraint o where conrelid = c.oid and contype in ('c', 'f', 'u') and ${number} = any(conkey)
    union all
    select i.oid, 'index', relname, pg_get_indexdef(i.oid), null, '', true, null, obj_description(i.oid, 'pg_class'), null
    from pg_class i join pg_index on indexrelid = i.oid and indrelid = c.oid
    where i.oid in (select d.objid from ${dependents(number)} and d.classid = 'pg_class'::regclass)
      and not exists (select from pg_constraint where conindid = i.oid and contype in ('p', 'u', 'x'))
    union all
    select s.oid, 'statistics', stxname, pg_get_statisticsobjdef(s.oid), null, '', true, null, obj_description(s.oid, 'pg_statistic_ext'), null
    from pg_statistic_ext s
    where s.oid in (select d.objid from ${dependents(number)} and d.classid = 'pg_statistic_ext'::regclass)
  )`;

// The numbers of the functions that a default calls are in its stored form.
const isVolatile = `exists (select from regexp_matches(adbin::text, ':(?:funcid|opfuncid) (\\d+)', 'g') m
      join pg_proc p on p.oid = m[1]::oid where provolatile = 'v')`;

const computedFrom = `(
    select g.attname as name, pg_get_expr(e.adbin, e.adrelid) as expression, g.attgenerated = 's' as stored
    from pg_attribute g join pg_attrdef e on e.adrelid = g.attrelid and e.adnum = g.attnum
    where g.attrelid = c.oid and g.attgenerated <> '' and g.attnum <> a.attnum
      and e.oid in (select d.objid from ${dependents('a.attnum')} and d.classid = 'pg_attrdef'::regclass)
  ) computed`;

const obstacles = `select unnest(array[
      case when relkind <> 'r' or relispartition or exists (select from pg_inherits where c.oid in (inhrelid, inhparent))
        then 'its table is not an ordinary one: partitions and heirs are not supported' end,
      case when attidentity <> '' then 'it is an identity column' end,
      case when attgenerated <> '' then 'it is a generated column: add the other one, and drop this one in a later release' end,
      case when pg_get_serial_sequence(format('%I.%I', nspname, relname), attname) is not null and attidentity = ''
        then 'it owns a sequence, as serial columns do' end,
      case when typtype = 'd' and (typnotnull or typdefault is not null or exists (select from pg_constraint where contypid = t.oid))
        then format('PostgreSQL would rewrite the table for a column of the domain %I', typname) end,
      case when not exists (select from pg_index where indrelid = c.oid and indisprimary)
        then 'its table has no primary key by which batches could be ordered' end,
      case when current_setting('server_version_num')::int < 170000
        then (select format('column %I is computed from it, which only PostgreSQL 17 and newer can change', name) from ${computedFrom} limit 1) end
    ]) as obstacle
    union all
    select format('%s uses it: drop that in a migration before this one, and create it again after it',
      replace(replace(pg_describe_object(d.classid, d.objid, d.objsubid), 'rule _RETURN on ', ''), ' public.', ' ')) from ${dependents('a.attnum')}
      and not (d.classid = 'pg_attrdef'::regclass)
      and not (d.classid = 'pg_class'::regclass and (d.objid = c.oid or exists (select from pg_index where indexrelid = d.objid and indrelid = c.oid)))
      and not (d.classid = 'pg_constraint'::regclass and exists (select from pg_constraint o where o.oid = d.objid and conrelid = c.oid and contype in ('c', 'f', 'u', 'n')))
      and not (d.classid = 'pg_statistic_ext'::regclass)
      and not (d.classid = 'pg_trigger'::regclass and not (${isNotReplaced('d.objid', 'pg_trigger')}))
      and not (d.classid = 'pg_class'::regclass and exists (select from pg_class s where s.oid = d.objid and relkind = 'S'))
    union all
    select format('index %I of it is the replica identity', i.relname) from pg_index join pg_class i on i.oid = indexrelid
    where indrelid = c.oid and indisreplident and a.attnum = any(indkey)`;

// Names of roles are quoted where they need it; 0 is everyone.
const grants = `select privilege_type, is_grantable, case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end as receiver
    from aclexplode(attacl) where grantee <> relowner`;

const columnQuery = `
  select jsonb_build_object(
    'schema', nspname, 'table', relname, 'name', attname, 'type', format_type(atttypid, atttypmod), 'isRequired', attnotnull,
    'default', case when attgenerated = '' then pg_get_expr(adbin, adrelid) end, 'isVolatile', coalesce(${isVolatile}, false),
    'collation', case when attcollation <> typcollation then attcollation::regcollation end,
    'comment', col_description(c.oid, attnum),
    'settings', array_remove(array[
      case when attstorage <> typstorage then 'set storage ' || case attstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end end,
      'set compression ' || case attcompression when 'p' then 'pglz' when 'l' then 'lz4' end,
      'set statistics ' || nullif(attstattarget, -1),
      'set (' || array_to_string(attoptions, ', ') || ')'], null),
    'grants', ${list(`jsonb_build_object('privilege', lower(privilege_type), 'to', receiver, 'option', is_grantable) order by receiver, privilege_type`, `(${grants}) granted`)},
    'parts', ${list(
      `jsonb_build_object('oid', oid::text, 'kind', kind, 'name', name, 'definition', definition, 'index', index, 'deferral', deferral,
        'isValidated', validated, 'references', referred, 'comment', comment, 'indexComment', index_comment) order by kind, name`,
      `${partsOf('a.attnum')} part`,
    )},
    'computed', ${list("jsonb_build_object('name', name, 'expression', expression, 'isStored', stored) order by name", computedFrom)},
    'generated', ${list('g.attname order by g.attnum', `pg_attribute g where g.attrelid = c.oid and g.attgenerated <> '' and not g.attisdropped`)},
    'key', ${list(
      'k.attname order by place',
      `pg_index p, unnest(p.indkey) with ordinality numbered (number, place) join pg_attribute k on k.attnum = number
        where p.indrelid = c.oid and p.indisprimary and k.attrelid = c.oid`,
    )},
    'obstacles', ${list('distinct obstacle', `(${obstacles}) found where obstacle is not null`)}
  )::text as state
  from pg_class c join pg_namespace n on n.oid = relnamespace join pg_attribute a on attrelid = c.oid join pg_type t on t.oid = atttypid
    left join pg_attrdef on adrelid = attrelid and adnum = attnum
  where nspname = $1 and relname = $2 and attname = $3 and attnum > 0 and not attisdropped`;
