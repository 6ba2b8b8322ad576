import { ImportRefusedError } from '../errors.ts';
import type { LegacySource } from './source/legacy-source.ts';
import type { TargetTable } from './destination/target-table.ts';

/** A table of the source, or a column of one, that the target lacks. */
export interface UnknownPart {
  readonly name: string;
  /** The number of rows of the table, or of rows with a value in the column. */
  readonly rows: number;
  /** Whether the options skip it; one without rows needs no option. */
  readonly skipped: boolean;
}

// Tables of other tools.
const bookkeeping = new Set(['alembic_version']);

/**
 * Returns the tables and columns of the source that the target lacks.
 *
 * @throws ImportRefusedError when `skip` names a table or column that the target has, or the source lacks.
 */
export async function findUnknownParts(
  source: LegacySource,
  tables: readonly TargetTable[],
  skip: readonly string[],
): Promise<UnknownPart[]> {
  const found = new Map(source.tables.map(({ name, columns }) => [name, new Set(columns)]));
  const known = new Set(
    tables.flatMap(({ name, columns }) => [name, ...columns.map((column) => `${name}.${column.name}`)]),
  );
  const wrong = skip.filter((name) => known.has(name));
  if (wrong.length > 0) {
    throw new ImportRefusedError(
      `--skip names ${wrong.join(', ')}, which the target has; only tables and columns that it lacks can be skipped`,
    );
  }
  const existing = new Set(
    [...found].flatMap(([name, columns]) => [name, ...[...columns].map((column) => `${name}.${column}`)]),
  );
  const lacking = skip.filter((name) => !existing.has(name));
  if (lacking.length > 0) {
    const skippable = [...existing].filter(
      (name) =>
        !known.has(name) &&
        !bookkeeping.has(name) &&
        (!name.includes('.') || known.has(name.split('.', 1)[0] ?? '')),
    );
    throw new ImportRefusedError(
      `--skip names ${lacking.join(', ')}, which the source lacks; what can be skipped: ${skippable.join(', ') || 'nothing'}`,
    );
  }
  const parts: UnknownPart[] = [];
  for (const [table, columns] of found) {
    if (bookkeeping.has(table)) continue;
    if (!known.has(table)) {
      parts.push({ name: table, rows: await source.count(table), skipped: skip.includes(table) });
      continue;
    }
    for (const column of columns) {
      const name = `${table}.${column}`;
      if (!known.has(name))
        parts.push({ name, rows: await source.countValues(table, column), skipped: skip.includes(name) });
    }
  }
  return parts;
}
