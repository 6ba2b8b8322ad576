import { quoteIdentifier } from '../rows/row.ts';
import type { Table } from '../rows/tables.ts';

/** Returns `table.column` for display, the column quoted where SQL requires it. */
export function labelOfColumn({ label }: Table, column: string): string {
  return `${label}.${/^[a-z_][a-z0-9_$]*$/.test(column) ? column : quoteIdentifier(column)}`;
}
