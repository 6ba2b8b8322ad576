import { escapeIdentifier } from 'pg';
import type { LoadColumn, LoadTarget } from './load-target.ts';

/** Returns the quoted columns, separated by commas, each qualified with the table or alias `of`. */
export function columnList(columns: readonly LoadColumn[], of?: string): string {
  return columns.map((column) => columnName(column, of)).join(', ');
}

/** Returns the quoted column, qualified with the table or alias `of`. */
export function columnName({ name }: LoadColumn, of?: string): string {
  return of === undefined ? escapeIdentifier(name) : `${of}.${escapeIdentifier(name)}`;
}

/** Returns the condition that two tables or aliases have equal values in `columns`. */
export function columnsEqual(columns: readonly LoadColumn[], left: string, right: string): string {
  return columns.map((column) => `${columnName(column, left)} = ${columnName(column, right)}`).join(' and ');
}

/** Returns the query for all rows of a table, with the names of properties. */
export function selectAll({ schema, table, columns }: LoadTarget): string {
  const named = columns.map((column) => `${columnName(column)} as ${escapeIdentifier(column.property)}`);
  return `select ${named.join(', ')} from ${tableName({ schema, table })}`;
}

/** Returns the quoted name of a table, qualified where its entity names a schema. */
export function tableName({ schema, table }: Pick<LoadTarget, 'schema' | 'table'>): string {
  return [...(schema === null ? [] : [schema]), table].map(escapeIdentifier).join('.');
}
