import { ImportRefusedError } from '../errors.ts';
import { LaterDocuments } from './source/later-documents.ts';
import type { PartialSource } from './source/partial-source.ts';
import type { TargetTable } from './destination/target-table.ts';

/** A table of the source, or a column of one, that the target has no place for. */
export interface UnknownPart {
  readonly name: string;
  /** The column without which the rows of a table can't be rows of the target; absent for what the target lacks. */
  readonly lacks?: string;
  /** The number of rows of the table, or of rows with a value in the column, without those that become documents. */
  readonly rows: number;
  /** Whether the options skip it; one without rows needs no option. */
  readonly skipped: boolean;
}

// Tables of other tools.
const bookkeeping = new Set(['alembic_version', 'schema_migrations']);

/**
 * Returns the tables and columns of the source that the target lacks, and the tables whose rows it can't take.
 *
 * @throws ImportRefusedError when `skip` names a table or column that the target has, or the source lacks.
 */
export async function findUnknownParts(
  source: PartialSource,
  tables: readonly TargetTable[],
  skip: readonly string[],
): Promise<UnknownPart[]> {
  const found = new Map(source.tables.map(({ name, columns }) => [name, new Set(columns)]));
  // Documents may stay behind in a database that is older than the column by which they are named.
  const [laterTable = '', laterColumn = ''] = LaterDocuments.part.split('.', 2);
  if (source.later.left.size > 0) found.get(laterTable)?.add(laterColumn);
  const known = new Set(
    tables
      .filter(({ name }) => source.lackedBy(name) === undefined)
      .flatMap(({ name, columns }) => [name, ...columns.map((column) => `${name}.${column.name}`)]),
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
      const lacks = source.lackedBy(table);
      parts.push({
        name: table,
        ...(lacks !== undefined && { lacks }),
        rows: (await source.whole.count(table)) - source.documents.countOf(table),
        skipped: skip.includes(table),
      });
      continue;
    }
    for (const column of columns) {
      const name = `${table}.${column}`;
      if (!known.has(name) && !source.isDerivedFrom(table, column))
        parts.push({
          name,
          rows:
            name === LaterDocuments.part
              ? source.later.count
              : (await source.whole.countValues(table, column)) - source.documents.countOf(name),
          skipped: skip.includes(name),
        });
    }
  }
  return parts;
}
