import { escapeIdentifier } from 'pg';
import type { LoadColumn } from './load-target.ts';

/** Returns the quoted columns, separated by commas, each qualified with the table or alias `of`. */
export function columnList(columns: readonly LoadColumn[], of?: string): string {
  return columns.map((column) => columnName(column, of)).join(', ');
}

/** Returns the quoted column, qualified with the table or alias `of`. */
export function columnName({ name }: LoadColumn, of?: string): string {
  return of === undefined ? escapeIdentifier(name) : `${of}.${escapeIdentifier(name)}`;
}

/** Returns the condition that two tables or aliases have equal values in `columns`. */
export function columnsEqual(columns: readonly LoadColumn[], one: string, other: string): string {
  return columns.map((column) => `${columnName(column, one)} = ${columnName(column, other)}`).join(' and ');
}
