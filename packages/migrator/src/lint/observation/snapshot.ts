import { isDeepStrictEqual } from 'node:util';
import type { Session } from '../../session/session.ts';

/** What a session's transaction sees of the schema, and what it holds, by ids that a rename does not change. */
export interface Snapshot {
  readonly relations: ReadonlyMap<number, RelationState>;
  /** By `relation.number`. */
  readonly columns: ReadonlyMap<string, ColumnState>;
  readonly constraints: ReadonlyMap<number, Constraint>;
  readonly indexes: ReadonlyMap<number, Index>;
  /** Labels of enums, schemas, domains, functions and triggers. */
  readonly enumValues: ReadonlyMap<number, EnumValue>;
  readonly schemas: ReadonlyMap<number, Named>;
  readonly types: ReadonlyMap<number, Named>;
  readonly others: ReadonlyMap<number, Named>;
  /** The modes in which the transaction holds locks on relations. */
  readonly locks: ReadonlyMap<number, readonly string[]>;
  /** `lock_timeout` in milliseconds. */
  readonly lockTimeout: number;
}

export interface Named {
  readonly oid: number;
  /** Quoted; without the schema `public`. */
  readonly label: string;
}

export interface RelationState extends Named {
  readonly schema: string;
  readonly name: string;
  /** `pg_class.relkind`. */
  readonly kind: string;
  /** The partitioned table or index that it is a part of; 0 for none. */
  readonly parent: number;
  /** What is granted on it; null for the default. */
  readonly privileges: string | null;
}

export interface ColumnState {
  readonly relation: number;
  readonly name: string;
  readonly quoted: string;
  readonly type: string;
  readonly notNull: boolean;
  /** `pg_attribute.attgenerated`: `s` for stored, `v` for virtual; else empty. */
  readonly generated: string;
  readonly isIdentity: boolean;
  readonly default: string | null;
  /** Whether the default calls a volatile function. */
  readonly isVolatile: boolean;
}

export interface Constraint {
  readonly oid: number;
  readonly name: string;
  readonly quoted: string;
  readonly relation: number;
  /** `pg_constraint.contype`. */
  readonly type: string;
  readonly isValidated: boolean;
  readonly definition: string;
  /** The numbers of its columns. */
  readonly columns: readonly number[];
  /** The index of a key or an exclusion; 0 for others. */
  readonly index: number;
  /** The referenced table; 0 for others. */
  readonly references: number;
}

export interface Index extends Named {
  readonly relation: number;
  readonly name: string;
  readonly isOfPartition: boolean;
  readonly isPartial: boolean;
  readonly definition: string;
  /** The numbers of its columns; 0 for an expression. */
  readonly columns: readonly number[];
}

interface EnumValue {
  readonly oid: number;
  readonly type: string;
  readonly value: string;
}

/**
 * Reads a snapshot. `own` is the migrator's schema. Definitions of what `known` has already are taken from there, because PostgreSQL takes
 * most of the time to print them.
 */
export async function readSnapshot(
  session: Session,
  own: string,
  known: Pick<Snapshot, 'constraints' | 'indexes'> = { constraints: new Map(), indexes: new Map() },
): Promise<Snapshot> {
  const printed = [...known.constraints.keys(), ...known.indexes.keys()];
  const [row] = await session.query<{ state: string }>(snapshotQuery, [own, printed]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the query builds this object
  const state = JSON.parse(row?.state ?? '{}') as SnapshotState;
  return {
    relations: byOid(state.relations),
    columns: new Map(state.columns.map((one) => [`${one.relation}.${one.number}`, one])),
    constraints: byOid(withDefinitions(state.constraints, known.constraints)),
    indexes: byOid(withDefinitions(state.indexes, known.indexes)),
    enumValues: byOid(state.enumValues),
    schemas: byOid(state.schemas),
    types: byOid(state.types),
    others: byOid(state.others),
    locks: new Map(state.locks.map(({ relation, modes }) => [relation, modes])),
    lockTimeout: state.lockTimeout,
  };
}

function withDefinitions<T extends { readonly oid: number; readonly definition: string }>(
  all: readonly T[],
  known: ReadonlyMap<number, { readonly definition: string }>,
): T[] {
  return all.map((one) => ({ ...one, definition: known.get(one.oid)?.definition ?? one.definition }));
}

/** Whether two snapshots of one database have the same objects, with the same definitions. */
export function haveSameObjects(one: Snapshot, other: Snapshot): boolean {
  return isDeepStrictEqual(
    { ...one, locks: null, lockTimeout: null },
    { ...other, locks: null, lockTimeout: null },
  );
}

interface SnapshotState {
  readonly relations: readonly RelationState[];
  readonly columns: readonly (ColumnState & { readonly number: number })[];
  readonly constraints: readonly Constraint[];
  readonly indexes: readonly Index[];
  readonly enumValues: readonly EnumValue[];
  readonly schemas: readonly Named[];
  readonly types: readonly Named[];
  readonly others: readonly Named[];
  readonly locks: readonly { readonly relation: number; readonly modes: readonly string[] }[];
  readonly lockTimeout: number;
}

function byOid<T extends { readonly oid: number }>(all: readonly T[]): ReadonlyMap<number, T> {
  return new Map(all.map((one) => [one.oid, one]));
}

/** Returns SQL for the label of a name in a schema. */
function label(schema: string, name: string): string {
  return `case ${schema} when 'public' then '' else quote_ident(${schema}) || '.' end || quote_ident(${name})`;
}

function list(fields: string, source: string): string {
  return `(select coalesce(jsonb_agg(jsonb_build_object(${fields})), '[]') from ${source})`;
}

// Other sessions' temporary tables are in schemas of the system.
const snapshotQuery = `
  with schema as materialized (
    select oid, nspname from pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', $1)
  ), relation as materialized (
    select c.*, nspname from pg_class c join schema on schema.oid = relnamespace and relkind in ('r', 'p', 'v', 'm', 'f', 'i', 'I', 'S')
  )
  select jsonb_build_object(
    'relations', ${list(
      `'oid', oid::bigint, 'schema', nspname, 'name', relname, 'label', ${label('nspname', 'relname')}, 'kind', relkind, 'privileges', relacl::text,
       'parent', case when relispartition then (select inhparent from pg_inherits where inhrelid = oid limit 1) else 0 end::bigint`,
      'relation',
    )},
    'columns', ${list(
      `'relation', attrelid::bigint, 'number', attnum, 'name', attname, 'quoted', quote_ident(attname),
       'type', format_type(atttypid, atttypmod), 'notNull', attnotnull, 'generated', attgenerated, 'isIdentity', attidentity <> '',
       'default', pg_get_expr(adbin, adrelid), 'isVolatile', exists (
         select from regexp_matches(adbin::text, ':(?:funcid|opfuncid) (\\d+)', 'g') m join pg_proc p on p.oid = m[1]::oid where provolatile = 'v')`,
      `pg_attribute join relation on relation.oid = attrelid and relkind in ('r', 'p', 'f') and attnum > 0 and not attisdropped
         left join pg_attrdef on adrelid = attrelid and adnum = attnum`,
    )},
    'constraints', ${list(
      `'oid', k.oid::bigint, 'name', conname, 'quoted', quote_ident(conname), 'relation', conrelid::bigint, 'type', contype,
       'isValidated', convalidated, 'definition', case when k.oid <> all ($2::oid[]) then pg_get_constraintdef(k.oid) end, 'columns', coalesce(to_jsonb(conkey), '[]'),
       'index', conindid::bigint, 'references', confrelid::bigint`,
      `pg_constraint k join relation on relation.oid = conrelid and contype in ('c', 'f', 'p', 'u', 'x') and conparentid = 0`,
    )},
    'indexes', ${list(
      `'oid', indexrelid::bigint, 'relation', indrelid::bigint, 'name', relname, 'label', ${label('nspname', 'relname')},
       'isOfPartition', relispartition, 'isPartial', indpred is not null, 'definition', case when indexrelid <> all ($2::oid[]) then pg_get_indexdef(indexrelid) end,
       'columns', (select jsonb_agg(number order by place) from unnest(indkey) with ordinality key (number, place))`,
      'pg_index join relation on relation.oid = indexrelid',
    )},
    'enumValues', ${list(
      `'oid', e.oid::bigint, 'type', ${label('nspname', 'typname')}, 'value', enumlabel`,
      'pg_enum e join pg_type t on t.oid = enumtypid join schema on schema.oid = typnamespace',
    )},
    'schemas', ${list(`'oid', oid::bigint, 'label', quote_ident(nspname)`, 'schema')},
    'types', ${list(
      `'oid', t.oid::bigint, 'label', ${label('nspname', 'typname')}`,
      `pg_type t join schema on schema.oid = typnamespace and typtype in ('d', 'e')`,
    )},
    'others', ${list(
      `'oid', oid::bigint, 'label', label`,
      `(select p.oid, 'function ' || p.oid::regprocedure as label from pg_proc p join schema on schema.oid = pronamespace
        union all select t.oid, 'trigger ' || quote_ident(tgname) || ' of ' || ${label('nspname', 'relname')}
          from pg_trigger t join relation on relation.oid = tgrelid and not tgisinternal
        union all select p.oid, 'policy ' || quote_ident(polname) || ' of ' || ${label('nspname', 'relname')}
          from pg_policy p join relation on relation.oid = polrelid) other`,
    )},
    'locks', ${list(
      `'relation', relation, 'modes', modes`,
      `(select relation::bigint, jsonb_agg(mode) as modes from pg_locks
        where pid = pg_backend_pid() and locktype = 'relation' and granted
          and database = (select oid from pg_database where datname = current_database()) group by relation) held`,
    )},
    'lockTimeout', (select setting::bigint from pg_settings where name = 'lock_timeout')
  )::text as state`;
