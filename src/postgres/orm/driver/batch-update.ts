import type { EntityDictionary, EntityMetadata } from '@mikro-orm/core';
import { named } from '../../client/named-statements.ts';
import { isPlainParameter } from './plain-values.ts';

/** A column that changed in some rows of a batch. */
interface ChangedColumn {
  /** The name of the entity's property. */
  readonly property: string;
  readonly name: string;
  readonly type: string;
  /** Whether it changed in some of the rows only. Each row then has a flag for it. */
  readonly isPartial: boolean;
}

/** A statement that updates rows, and its parameters: a list for each column. */
export interface BatchUpdate {
  readonly sql: string;
  readonly parameters: readonly (readonly unknown[])[];
}

// The columns that change together make other texts. A connection keeps no more than these of a table prepared.
const maxNamed = 20;

/** The texts of a table's statements, by the columns that they change. */
const texts = new WeakMap<EntityMetadata, Map<string, string>>();

/**
 * Returns the statement that updates the rows with these keys, whose version is the given one, or that have none given. Its text depends on the
 * changed columns only, so that each connection parses and plans it once. Returns null when only the ORM can write a value: a raw query, or one
 * that is neither text, number nor boolean.
 */
export function batchUpdate<T extends object>(
  table: string,
  meta: EntityMetadata<T>,
  keys: readonly string[],
  versions: ReadonlyMap<unknown, number>,
  rows: readonly EntityDictionary<T>[],
): BatchUpdate | null {
  const columns = changedColumns(meta, rows);
  if (!columns) return null;
  const parameters: unknown[][] = [[...keys], keys.map((key) => versions.get(key) ?? null)];
  for (const { property, isPartial } of columns) {
    parameters.push(rows.map((row): unknown => Reflect.get(row, property) ?? null));
    if (isPartial) parameters.push(rows.map((row) => property in row));
  }
  return { sql: textFor(table, meta, columns), parameters };
}

/** Returns the columns that have changed in a batch; null when one of their values is not plain, or has several columns. */
function changedColumns<T extends object>(
  meta: EntityMetadata<T>,
  rows: readonly EntityDictionary<T>[],
): ChangedColumn[] | null {
  const columns: ChangedColumn[] = [];
  for (const { name: property, fieldNames = [], columnTypes = [] } of meta.props) {
    let changes = 0;
    for (const row of rows) {
      if (!(property in row)) continue;
      if (!isPlainParameter(Reflect.get(row, property) ?? null)) return null;
      changes++;
    }
    if (changes === 0) continue;
    const [name, ...others] = fieldNames;
    const [type] = columnTypes;
    if (!name || !type || others.length > 0 || type.endsWith('[]')) return null;
    columns.push({ property, name, type, isPartial: changes < rows.length });
  }
  return columns;
}

function textFor(table: string, meta: EntityMetadata, columns: readonly ChangedColumn[]): string {
  let known = texts.get(meta);
  if (!known) texts.set(meta, (known = new Map()));
  const key = `${table} ${columns.map(({ name, isPartial }) => (isPartial ? `${name}?` : name)).join(' ')}`;
  let sql = known.get(key);
  if (sql === undefined) {
    sql = batchUpdateSql(table, meta, columns);
    if (known.size < maxNamed) known.set(key, named(sql));
  }
  return sql;
}

/**
 * Locks the rows in the order of their keys, so that two flushes of the same rows can't deadlock: the second waits, and sees the new versions.
 */
function batchUpdateSql(table: string, meta: EntityMetadata, columns: readonly ChangedColumn[]): string {
  const [key] = meta.getPrimaryProps();
  const version = meta.props.find((prop) => prop.version);
  const [keyName, versionName] = [`"${key?.fieldNames[0]}"`, `"${version?.fieldNames[0]}"`];
  const names = [keyName, '"version seen"'];
  const types = [key?.columnTypes[0], version?.columnTypes[0]];
  const set: string[] = [];
  for (const { name, type, isPartial } of columns) {
    names.push(`"${name}"`);
    types.push(type);
    if (isPartial) {
      names.push(`"${name} changed"`);
      types.push('boolean');
    }
    set.push(
      isPartial
        ? `"${name}" = case when new."${name} changed" then new."${name}" else ${table}."${name}" end`
        : `"${name}" = new."${name}"`,
    );
  }
  set.push(`${versionName} = ${table}.${versionName} + 1`);
  const lists = types.map((type, index) => `$${index + 1}::${type}[]`).join(', ');
  return (
    `update ${table} set ${set.join(', ')} from ` +
    `(select given.* from unnest(${lists}) given (${names.join(', ')}) ` +
    `join ${table} present on present.${keyName} = given.${keyName} ` +
    `and (given."version seen" is null or given."version seen" = present.${versionName}) ` +
    `order by present.${keyName} for no key update of present) new ` +
    `where ${table}.${keyName} = new.${keyName} returning ${table}.${keyName}, ${table}.${versionName}`
  );
}
