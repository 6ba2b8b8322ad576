import type { MikroORM } from '@mikro-orm/postgresql';
import { poolSession } from '../session/session.ts';
import { quotedTable, type SchemaDifference, type TableDifference } from './difference.ts';
import { quoted } from './named-objects.ts';
import type { ChangedType } from './type-changes.ts';

/** A column that is dropped and added again, and what PostgreSQL drops with it. */
export interface RecreatedColumn {
  /** The quoted name of its table. */
  readonly table: string;
  readonly column: string;
  /** The statements that create its indexes, constraints and statistics again. */
  readonly restoring: readonly string[];
}

/**
 * Returns statements that give generated columns another type, which the ORM does not see: PostgreSQL computes the values anew only in a new
 * column, and would cast the old ones. Not of columns that the ORM recreates, because their expression changes too.
 */
export async function generatedTypes(
  orm: MikroORM,
  changed: readonly ChangedType[],
  recreated: readonly RecreatedColumn[],
): Promise<string[]> {
  const statements: string[] = [];
  for (const { table, column, to, facts } of changed) {
    const [before, after] = facts;
    const [, expression, storage] = /^(.*) (stored|virtual)$/s.exec(after['generated'] ?? '') ?? [];
    const isRecreated = recreated.some((one) => one.table === table && one.column === column);
    if (expression === undefined || before['generated'] === undefined || isRecreated) continue;
    const collation = after['collation'] === undefined ? '' : ` collate ${after['collation']}`;
    const required = after['not null'] === undefined ? '' : ' not null';
    const parts = await dependentParts(orm, table, column);
    statements.push(
      `alter table ${table} drop column ${quoted(column)}`,
      `alter table ${table} add ${quoted(column)} ${to}${collation} generated always as (${expression}) ${storage}${required}`,
      ...parts.map(({ sql }) => sql),
      ...(after['comment'] === undefined
        ? []
        : [`comment on column ${table}.${quoted(column)} is '${after['comment'].replaceAll("'", "''")}'`]),
    );
  }
  return statements;
}

/** Returns the columns that a difference drops and adds again. Neither drops nor adds what `restoring` creates. */
export async function recreatedColumns(
  orm: MikroORM,
  { changedTables }: SchemaDifference,
): Promise<RecreatedColumn[]> {
  const found: RecreatedColumn[] = [];
  for (const difference of Object.values(changedTables)) {
    const table = quotedTable(difference);
    const changed = changedParts(difference);
    for (const column of Object.keys(difference.removedColumns)) {
      if (difference.addedColumns[column] === undefined) continue;
      const parts = await dependentParts(orm, table, column);
      const restoring = parts.filter(({ name }) => !changed.has(name)).map(({ sql }) => sql);
      found.push({ table, column, restoring });
    }
  }
  return found;
}

/**
 * Returns the indexes, constraints and statistics that PostgreSQL drops with a column, unasked, and the statements that create them. It
 * refuses to drop a column that a view, a policy or a trigger uses.
 */
function dependentParts(
  orm: MikroORM,
  table: string,
  column: string,
): Promise<{ readonly name: string; readonly sql: string }[]> {
  return poolSession(orm).query<{ name: string; sql: string }>(partsQuery, [table, column]);
}

const partsQuery = `
  select distinct name, sql from pg_attribute a join pg_depend d on refclassid = 'pg_class'::regclass and refobjid = attrelid and refobjsubid = attnum,
    lateral (
      select relname as name, pg_get_indexdef(oid) as sql from pg_class
      where d.classid = 'pg_class'::regclass and oid = d.objid and relkind in ('i', 'I')
      union all
      select conname, format('alter table %s add constraint %I %s', $1::text, conname, pg_get_constraintdef(oid)) from pg_constraint
      where d.classid = 'pg_constraint'::regclass and oid = d.objid
      union all
      select stxname, pg_get_statisticsobjdef(oid) from pg_statistic_ext
      where d.classid = 'pg_statistic_ext'::regclass and oid = d.objid
    ) part
  where attrelid = $1::text::regclass and attname = $2 order by name`;

/** Returns the names of the indexes and constraints that a difference adds, drops or replaces by separate statements. */
function changedParts(difference: TableDifference): Set<string> {
  return new Set([
    ...Object.keys(difference.addedIndexes),
    ...Object.keys(difference.changedIndexes),
    ...Object.keys(difference.removedIndexes),
    ...Object.keys(difference.addedChecks),
    ...Object.keys(difference.changedChecks),
    ...Object.keys(difference.removedChecks),
    ...Object.keys(difference.addedForeignKeys),
    ...Object.keys(difference.changedForeignKeys),
    ...Object.keys(difference.removedForeignKeys),
  ]);
}

/** Returns statements with those that restore the parts of recreated columns, each after its column is added. */
export function withRestoredParts(
  statements: readonly string[],
  columns: readonly RecreatedColumn[],
): string[] {
  const result = [...statements];
  for (const { table, column, restoring } of columns) {
    const added = result.findIndex(
      (sql) => sql.startsWith(`alter table ${table} add `) && sql.includes(`add "${column}" `),
    );
    if (added !== -1) result.splice(added + 1, 0, ...restoring.filter((sql) => !result.includes(sql)));
  }
  return result;
}
