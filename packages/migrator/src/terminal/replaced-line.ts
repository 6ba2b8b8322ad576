import type { ReplacedColumn } from '../rename-column/replaced-columns.ts';

/** Returns a line on a column that waits to be dropped, with the command for it. */
export function replacedLine({ table, column, by }: ReplacedColumn): string {
  const name = `${table}.${column}`;
  return `Replaced: ${name}, by ${by}. When no running code uses it: migrate create NAME --contract ${name}`;
}
