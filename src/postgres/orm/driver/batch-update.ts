import { isRaw, type EntityDictionary, type EntityMetadata } from '@mikro-orm/core';

/** A column that changed in some rows of a batch. */
export interface ChangedColumn {
  /** The name of the entity's property. */
  readonly property: string;
  readonly name: string;
  readonly type: string;
  /** Whether it changed in some of the rows only. Each row then has a flag for it. */
  readonly isPartial: boolean;
}

/** Returns the columns that have changed in a batch; null when one of their values is a raw query or has several columns. */
export function changedColumns<T extends object>(
  meta: EntityMetadata<T>,
  rows: readonly EntityDictionary<T>[],
): ChangedColumn[] | null {
  const columns: ChangedColumn[] = [];
  for (const { name: property, fieldNames = [], columnTypes = [] } of meta.props) {
    const changed = rows.filter((row) => property in row);
    if (changed.length === 0) continue;
    const [name, ...others] = fieldNames;
    const [type] = columnTypes;
    if (!name || !type || others.length > 0 || changed.some((row) => isRaw(Reflect.get(row, property))))
      return null;
    columns.push({ property, name, type, isPartial: changed.length < rows.length });
  }
  return columns;
}

/** Returns the parameters of a row, after its key and its version. */
export function batchValues<T>(
  columns: readonly ChangedColumn[],
  row: EntityDictionary<T> | undefined,
): unknown[] {
  return columns.flatMap(({ property, isPartial }) => {
    const value: unknown = row && Reflect.get(row, property);
    return isPartial ? [value ?? null, row !== undefined && property in row] : [value ?? null];
  });
}

/**
 * Returns the statement that updates `count` rows whose version is the given one, or that have none given. It locks them in the order of
 * their keys, so that two flushes of the same rows can't deadlock: the second waits, and sees the new versions.
 */
export function batchUpdateSql(
  table: string,
  meta: EntityMetadata,
  columns: readonly ChangedColumn[],
  count: number,
): string {
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
  // The casts of the first row set the types of all.
  const typed = `(${types.map((type) => `?::${type}`).join(', ')})`;
  const row = `, (${types.map(() => '?').join(', ')})`;
  return (
    `update ${table} set ${set.join(', ')} from ` +
    `(select given.* from (values ${typed}${row.repeat(count - 1)}) given (${names.join(', ')}) ` +
    `join ${table} present on present.${keyName} = given.${keyName} ` +
    `and (given."version seen" is null or given."version seen" = present.${versionName}) ` +
    `order by present.${keyName} for no key update of present) new ` +
    `where ${table}.${keyName} = new.${keyName} returning ${table}.${keyName}, ${table}.${versionName}`
  );
}
