import type { RowValues } from '../rows/row.ts';
import type { TableCatalog } from '../rows/tables.ts';

/**
 * Returns rows that tables accept, by the definition of their table: for those of before `up`, the values of a row that the table of after `up`
 * accepts, so that rows with them survive it.
 */
export function lastingRows(
  before: TableCatalog,
  after: TableCatalog,
  known: ReadonlyMap<string, RowValues>,
): Map<string, RowValues> {
  const rows = new Map(known);
  for (const table of before.tables) {
    const latter = after.tables.find(({ name }) => name === table.name);
    const lasting = latter && known.get(JSON.stringify(latter));
    if (!lasting) continue;
    const own = known.get(JSON.stringify(table));
    rows.set(
      JSON.stringify(table),
      new Map(
        table.columns.flatMap(({ name }): [string, string | null][] => {
          const value = lasting.get(name) ?? own?.get(name);
          return value === undefined ? [] : [[name, value]];
        }),
      ),
    );
  }
  return rows;
}
