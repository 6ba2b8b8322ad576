import type { TargetColumn } from '../destination/target-table.ts';
import type { LegacySource, SourceValue } from './legacy-source.ts';

/** A row of a source, by its columns. */
export type NamedRow = Readonly<Record<string, SourceValue>>;

/** Yields the rows of any table by the given columns, as far as it has them; none when the source lacks the table. */
export async function* read(
  source: LegacySource,
  table: string,
  names: readonly string[],
): AsyncGenerator<NamedRow> {
  const existing = columnsOf(source, table, names);
  const [key] = existing;
  if (key === undefined) return;
  const columns = existing.map(plainColumn);
  const rows = source.rows({ name: table, columns, key: [key], keyPrefix: undefined, parent: undefined });
  for await (const chunk of rows)
    for (const { values } of chunk)
      yield Object.fromEntries(existing.map((name, index) => [name, values[index] ?? null]));
}

/** Returns which of the columns a table of the source has. */
export function columnsOf(source: LegacySource, table: string, names: readonly string[]): string[] {
  const columns = source.tables.find(({ name }) => name === table)?.columns ?? [];
  return names.filter((name) => columns.includes(name));
}

/** Returns a column that is read, and not written. */
export function plainColumn(name: string): TargetColumn {
  return {
    name,
    type: 'text',
    nullable: true,
    default: undefined,
    rules: [],
    shape: undefined,
    references: undefined,
  };
}
