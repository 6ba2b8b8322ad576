import { isDeclaredBy, type Declarations } from '../files/declarations.ts';
import type { Table, TableCatalog } from '../rows/tables.ts';
import { labelOfColumn } from './labels.ts';

/** What the code of before `up` does not use any more. */
export interface UnusedObjects {
  /** Columns, by the quoted name of their table. */
  readonly columns: ReadonlyMap<string, ReadonlySet<string>>;
  /** Tables, by their quoted names. */
  readonly tables: ReadonlySet<string>;
  /** Each with the reason: `table.column: why`. */
  readonly assumed: readonly string[];
}

/**
 * Returns what the code of before `up` is assumed not to use: what `up` removes and the migration declares in `static loses`. What it
 * removes without a declaration is used.
 */
export function unusedByOldCode(
  before: TableCatalog,
  after: TableCatalog,
  { loses }: Declarations,
): UnusedObjects {
  const columns = new Map<string, Set<string>>();
  const tables = new Set<string>();
  const assumed: string[] = [];
  const reasonOf = ({ schema, relation }: Table, column: string | null): string | undefined =>
    loses.find((one) => isDeclaredBy(one, { schema, table: relation, column }))?.reason;
  for (const table of before.tables) {
    const now = after.tables.find(({ name }) => name === table.name);
    const reason = now ? undefined : reasonOf(table, null);
    if (reason !== undefined) {
      tables.add(table.name);
      assumed.push(`${table.label}: ${reason}`);
    }
    if (!now) continue;
    for (const { name } of table.columns) {
      if (now.columns.some((column) => column.name === name)) continue;
      const why = reasonOf(table, name);
      if (why === undefined) continue;
      columns.set(table.name, (columns.get(table.name) ?? new Set()).add(name));
      assumed.push(`${labelOfColumn(table, name)}: ${why}`);
    }
  }
  return { columns, tables, assumed };
}
