import { ImportRefusedError, LegacySourceError } from '../errors.ts';
import type { LegacySource } from './source/legacy-source.ts';
import type { TargetTable } from './target/target-table.ts';

/** What the source has and the target has no place for: a table, or a column of a table. */
export interface UnknownPart {
  readonly name: string;
  /** The rows of a table; of a column, the rows that have a value there. */
  readonly rows: number;
  /** Whether it was said that it may be left out. */
  readonly skipped: boolean;
}

// What other tools keep for themselves in a database.
const bookkeeping = new Set(['alembic_version']);

/**
 * Compares what the source has with what the target has a place for.
 *
 * @throws LegacySourceError when the source lacks a table or a column, and so is not what it was taken for; ImportRefusedError when
 * `skip` names what is imported.
 */
export async function unknownParts(
  source: LegacySource,
  tables: readonly TargetTable[],
  skip: readonly string[],
): Promise<UnknownPart[]> {
  const there = new Map(
    source.tables.map(({ name, columns }) => [name, new Set(columns.map((one) => one.name))]),
  );
  mustBeComplete(source, tables, there);
  const known = new Set(
    tables.flatMap(({ name, columns }) => [name, ...columns.map((one) => `${name}.${one.name}`)]),
  );
  const wrong = skip.filter((name) => known.has(name));
  if (wrong.length > 0) {
    throw new ImportRefusedError(
      `--skip names ${wrong.join(', ')}, which the target has a place for: only what it has none for can be skipped`,
    );
  }
  const parts: UnknownPart[] = [];
  for (const [table, columns] of there) {
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

function mustBeComplete(
  source: LegacySource,
  tables: readonly TargetTable[],
  there: ReadonlyMap<string, ReadonlySet<string>>,
): void {
  const missing = tables.flatMap(({ name, columns }) => {
    const found = there.get(name);
    if (!found) return [name];
    return columns.filter((column) => !found.has(column.name)).map((column) => `${name}.${column.name}`);
  });
  if (missing.length === 0) return;
  const some = missing.length > 6 ? [...missing.slice(0, 6), `${missing.length - 6} more`] : missing;
  throw new LegacySourceError(
    `${source.label} is no legacy database of schema version 15: it lacks ${some.join(', ')}; open it once with the last version of the old system, which upgrades it`,
  );
}
