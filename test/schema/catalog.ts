import type { EntityManager } from '@mikro-orm/postgresql';
import { ours } from './contents.ts';

export interface Column {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly default: string | null;
}

/** The columns of every table, in their order. */
export function readColumns(em: EntityManager): Promise<Column[]> {
  return em.execute(
    `select relname as "table", attname as name, format_type(atttypid, atttypmod) as type, attnotnull as required,
       pg_get_expr(adbin, adrelid) as default
     from pg_class join pg_attribute on attrelid = pg_class.oid left join pg_attrdef on adrelid = attrelid and adnum = attnum
     where ${ours} and relkind = 'r' and attnum > 0 and not attisdropped order by relname, attnum`,
  );
}

export interface Check {
  readonly name: string;
  readonly table: string;
  /** As PostgreSQL prints it, without the word CHECK. */
  readonly rule: string;
}

export function readChecks(em: EntityManager): Promise<Check[]> {
  return em.execute(
    `select conname as name, conrelid::regclass::text as "table",
       regexp_replace(pg_get_constraintdef(oid, true), '^CHECK \\((.*)\\)$', '\\1') as rule
     from pg_constraint where contype = 'c' and connamespace = 'public'::regnamespace order by 2, 1`,
  );
}

export interface ForeignKey {
  readonly name: string;
  readonly table: string;
  readonly column: string;
  readonly parent: string;
  readonly parentColumn: string;
  readonly nullable: boolean;
  /** What happens to the row when its parent is deleted, or the parent's key is changed. */
  readonly onDelete: 'cascade' | 'set null' | 'set default' | 'restrict' | 'no action';
  readonly onUpdate: ForeignKey['onDelete'];
}

const action = (column: string): string =>
  `case ${column} when 'c' then 'cascade' when 'n' then 'set null' when 'd' then 'set default' when 'r' then 'restrict' else 'no action' end`;

/** The foreign keys; each is of one column. */
export function readForeignKeys(em: EntityManager): Promise<ForeignKey[]> {
  return em.execute(
    `select conname as name, conrelid::regclass::text as "table", child.attname as "column", not child.attnotnull as nullable,
       confrelid::regclass::text as parent, parent.attname as "parentColumn",
       ${action('confdeltype')} as "onDelete", ${action('confupdtype')} as "onUpdate"
     from pg_constraint
       join pg_attribute child on child.attrelid = conrelid and child.attnum = conkey[1]
       join pg_attribute parent on parent.attrelid = confrelid and parent.attnum = confkey[1]
     where contype = 'f' and connamespace = 'public'::regnamespace order by 2, 1`,
  );
}

export interface UniqueIndex {
  readonly name: string;
  readonly table: string;
  /** Which rows it is about: a condition that a column equals a constant; null for all. */
  readonly where: string | null;
  readonly constraint: boolean;
}

/** What refuses duplicates: primary keys, unique constraints and unique indexes. */
export function readUniqueIndexes(em: EntityManager): Promise<UniqueIndex[]> {
  return em.execute(
    `select index.relname as name, indrelid::regclass::text as "table", pg_get_expr(indpred, indrelid, true) as "where",
       exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u')) as "constraint"
     from pg_index join pg_class on pg_class.oid = indrelid join pg_class index on index.oid = indexrelid
     where ${ours.replaceAll('rel', 'pg_class.rel')} and indisunique order by 2, 1`,
  );
}
