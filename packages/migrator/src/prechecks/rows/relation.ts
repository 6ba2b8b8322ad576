import type { RangeVar } from '../../sql/grammar.ts';
import type { Session } from '../../session/session.ts';
import { quoteNames } from '../../sql/quote-names.ts';

/** A table of the database, as it is before the run. */
export interface Relation {
  readonly oid: string;
  /** `r` a table, `p` a partitioned one, `m` a materialized view, and others, as in `pg_class`. */
  readonly kind: string;
  /** Its name for SQL. */
  readonly quoted: string;
  readonly name: string;
  /** Its name for messages: schema-qualified outside `public`. */
  readonly label: string;
  /** Whether this role sees all its rows. */
  readonly isReadable: boolean;
  readonly columns: readonly Column[];
}

/** A column of a table. */
interface Column {
  readonly name: string;
  readonly quoted: string;
  readonly isGenerated: boolean;
  readonly isComposite: boolean;
  /** Its collation for SQL; null for a type without one. */
  readonly collation: string | null;
}

/** Returns the table that a name means on the connected database; null without one. */
export async function findRelation(session: Session, name: RangeVar): Promise<Relation | null> {
  return readRelation(session, 'to_regclass($1)', quoteNames([name.schemaname, name.relname]));
}

/** Returns the table with an oid; null without one. */
export async function relationOf(session: Session, oid: string): Promise<Relation | null> {
  return readRelation(session, '$1::oid', oid);
}

async function readRelation(session: Session, oid: string, value: string): Promise<Relation | null> {
  const [found] = await session.query<Relation>(
    `select c.oid::text as oid, relkind as kind, relname as name, format('%I.%I', nspname, relname) as quoted,
       case nspname when 'public' then '' else quote_ident(nspname) || '.' end || quote_ident(relname) as label,
       has_table_privilege(c.oid, 'select') and not row_security_active(c.oid) as "isReadable",
       coalesce((
         select json_agg(json_build_object('name', attname, 'quoted', quote_ident(attname), 'isGenerated', attgenerated <> '',
           'isComposite', typtype = 'c', 'collation', (
             select format('%I.%I', cn.nspname, collname) from pg_collation k join pg_namespace cn on cn.oid = collnamespace
             where k.oid = attcollation)) order by attnum)
         from pg_attribute join pg_type t on t.oid = atttypid where attrelid = c.oid and attnum > 0 and not attisdropped
       ), '[]') as columns
     from pg_class c join pg_namespace n on n.oid = relnamespace where c.oid = ${oid}`,
    [value],
  );
  return found ?? null;
}

/**
 * Returns the tables whose rows change with those of these: their partitions, children and parents, and with `cascades` those of cascading
 * foreign keys.
 */
export async function affectedWith(
  session: Session,
  oids: readonly string[],
  { cascades }: { readonly cascades: boolean },
): Promise<string[]> {
  const rows = await session.query<{ oid: string }>(
    `with recursive edge (one, other) as (
       select inhparent, inhrelid from pg_inherits union select inhrelid, inhparent from pg_inherits
       union select confrelid, conrelid from pg_constraint
         where $2 and contype = 'f' and (confdeltype in ('c', 'n', 'd') or confupdtype in ('c', 'n', 'd'))
     ), affected (oid) as (
       select oid from unnest($1::oid[]) oid union select other from edge join affected on one = affected.oid
     )
     select oid::text as oid from affected`,
    [oids, cascades],
  );
  return rows.map(({ oid }) => oid);
}

/** Returns one of these tables that has a trigger or a rule, whose code may change any row; null without one. */
export async function withCode(session: Session, oids: readonly string[]): Promise<string | null> {
  const [found] = await session.query<{ name: string }>(
    `select oid::regclass::text as name from pg_class c where oid = any($1::oid[]) and (
       relkind not in ('r', 'p')
       or exists (select from pg_trigger where tgrelid = c.oid and not tgisinternal and tgenabled <> 'D')
       or exists (select from pg_rewrite where ev_class = c.oid))`,
    [oids],
  );
  return found?.name ?? null;
}
