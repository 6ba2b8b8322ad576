import {
  ReferenceKind,
  type EntityDictionary,
  type EntityMetadata,
  type EntityProperty,
  type Platform,
} from '@mikro-orm/core';
import { named } from '../../client/named-statements.ts';
import { isPlainParameter } from './plain-values.ts';

// The columns that a caller leaves out make other texts. A connection keeps no more than these of a table prepared.
const maxNamed = 20;

const plainKinds: ReadonlySet<ReferenceKind> = new Set([
  ReferenceKind.SCALAR,
  ReferenceKind.MANY_TO_ONE,
  ReferenceKind.ONE_TO_ONE,
]);

/** The texts of a table's statements, by the properties that have values. Null where only the ORM can write one. */
const texts = new WeakMap<EntityMetadata, Map<string, string | null>>();

/** A statement that inserts one row, and the values of its parameters. */
export interface RowInsert {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/**
 * Returns the statement that inserts `row` into `table` and returns the columns that PostgreSQL fills, as the ORM's does. PostgreSQL
 * parses and plans it once on each connection. Returns null for a row that only the ORM can insert:
 * with raw queries, values of other types than text, number and boolean, or properties without a column.
 */
export function rowInsert<T extends object>(
  meta: EntityMetadata,
  table: string,
  row: EntityDictionary<T>,
  platform: Platform,
): RowInsert | null {
  const names = Object.keys(row);
  const values: unknown[] = Object.values(row);
  if (!values.every(isPlainParameter)) return null;
  let known = texts.get(meta);
  if (!known) texts.set(meta, (known = new Map()));
  const key = `${table} ${names.join(' ')}`;
  let sql = known.get(key);
  if (sql === undefined) {
    sql = insertSql(meta, table, names, platform);
    if (known.size < maxNamed) known.set(key, sql === null ? null : named(sql));
  }
  return sql === null ? null : { sql, values };
}

function insertSql(
  meta: EntityMetadata,
  table: string,
  names: readonly string[],
  platform: Platform,
): string | null {
  const columns: string[] = [];
  const placeholders: string[] = [];
  for (const name of names) {
    const prop = meta.props.find((one) => one.name === name);
    const column = prop && columnOf(prop);
    if (!prop || column === undefined) return null;
    columns.push(platform.quoteIdentifier(column));
    const placeholder = `$${columns.length}`;
    placeholders.push(prop.customType?.convertToDatabaseValueSQL?.(placeholder, platform) ?? placeholder);
  }
  if (columns.length === 0) return null;
  const returning = meta.props.filter(
    (prop) => prop.returning === true || (isFilled(prop) && !names.includes(prop.name)),
  );
  const returned = returning.flatMap(({ fieldNames }) =>
    fieldNames.map((one) => platform.quoteIdentifier(one)),
  );
  return (
    `insert into ${table} (${columns.join(', ')}) values (${placeholders.join(', ')})` +
    (returned.length > 0 ? ` returning ${returned.join(', ')}` : '')
  );
}

/** Returns the column of a property; undefined when it has none, or several. */
function columnOf({
  kind,
  fieldNames,
  persist,
  stiFieldNames,
  embedded,
}: EntityProperty): string | undefined {
  const [column, ...others] = fieldNames ?? [];
  return plainKinds.has(kind) && others.length === 0 && persist !== false && !stiFieldNames && !embedded
    ? column
    : undefined;
}

/** Whether PostgreSQL gives the property a value when the statement does not. */
function isFilled({ persist, defaultRaw, autoincrement, generated }: EntityProperty): boolean {
  return (persist !== false && Boolean(defaultRaw)) || Boolean(autoincrement) || Boolean(generated);
}
