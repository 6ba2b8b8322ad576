import { UsageError } from 'mikro-orm-safe-migrations/cli';
import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { InvalidRowError } from '../../errors.ts';
import type { LoadColumn } from '../../loading/load/load-target.ts';
import { exactJson } from '../../json/exact-json.ts';
import { maxRowSize, rowTooLong } from './source.ts';

const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * Yields the rows of a CSV whose header names properties, in PostgreSQL's format: an empty cell is NULL, `""` an empty text, and a document
 * is JSON.
 *
 * @throws UsageError when the header has an unknown or repeated property.
 * @throws InvalidRowError for the first malformed row.
 */
export async function* csvRows(
  text: AsyncIterable<string>,
  columns: readonly LoadColumn[],
): AsyncGenerator<object> {
  const known = new Map(columns.map((column) => [column.property, column]));
  let row = 0;
  for await (const record of csvRecords(text, (heading) => checkHeading(heading, known))) {
    row += 1;
    yield rowOf(record, row, known);
  }
}

/**
 * Yields the records of a CSV, keyed by the names of its header, which `checkNames` may refuse. An empty cell is null, `""` an empty text.
 *
 * @throws UsageError when the header is missing or repeats a name.
 * @throws InvalidRowError for the first malformed row.
 */
export async function* csvRecords(
  text: AsyncIterable<string>,
  checkNames: (heading: readonly string[]) => void = () => {},
): AsyncGenerator<Record<string, string | null>> {
  let isNamed = false;
  const parser = parse({
    // By default the parser detects one kind of line end, and leaves parts of the others in the last cells.
    record_delimiter: ['\r\n', '\n', '\r'],
    max_record_size: maxRowSize,
    columns: (heading: string[]) => {
      const twice = heading.find((name, index) => heading.indexOf(name) !== index);
      if (twice !== undefined) throw new UsageError(`the header has "${twice}" twice; remove one`);
      checkNames(heading);
      isNamed = true;
      return heading;
    },
    cast: (cell, { quoting, header }) => (cell === '' && !quoting && !header ? null : cell),
  });
  // `compose` and `pipeline` report a bad record at the end of the text only, which a pipe may never reach.
  const source = Readable.from(text).on('error', (error) => parser.destroy(error));
  const records: AsyncIterable<Record<string, string | null>> = source.pipe(parser);
  try {
    yield* records;
  } catch (error) {
    throw error instanceof CsvError ? malformed(error) : error;
  } finally {
    source.destroy();
  }
  if (!isNamed) throw new UsageError('the CSV is empty; it must begin with a header of property names');
}

function checkHeading(heading: readonly string[], known: ReadonlyMap<string, LoadColumn>): void {
  for (const name of heading) {
    if (known.has(name)) continue;
    const meant = [...known.values()].find((column) => column.name === name);
    const hint = meant ? `did you mean "${meant.property}"?` : `expected: ${[...known.keys()].join(', ')}`;
    throw new UsageError(`unknown property "${name}" in the header; ${hint}`);
  }
}

function rowOf(
  record: Readonly<Record<string, string | null>>,
  row: number,
  known: ReadonlyMap<string, LoadColumn>,
): object {
  const values = Object.entries(record).map(([property, cell]) => {
    const type = known.get(property)?.type;
    return [property, cell === null ? null : valueOf(cell, type, { row, property })];
  });
  return Object.fromEntries(values);
}

function valueOf(
  cell: string,
  type: LoadColumn['type'] | undefined,
  at: { row: number; property: string },
): unknown {
  // Other text is passed on, and refused by the encoder of the column.
  if (type === 'integer' || type === 'double precision') return number.test(cell) ? Number(cell) : cell;
  if (type !== 'jsonb') return cell;
  try {
    return exactJson(cell);
  } catch (cause) {
    throw new InvalidRowError(at, 'is not valid JSON', { cause });
  }
}

const faults: Partial<Record<string, string>> = {
  CSV_RECORD_INCONSISTENT_COLUMNS: 'has another number of cells than the header',
  CSV_MAX_RECORD_SIZE: rowTooLong,
};

// The parser's message may contain a cell.
function malformed(error: CsvError): InvalidRowError {
  const row = typeof error['records'] === 'number' ? error['records'] + 1 : 1;
  const what = faults[error.code] ?? `is malformed (${error.code})`;
  return new InvalidRowError({ row, property: null }, `${what}, line ${String(error['lines'])}`, {
    cause: error,
  });
}
