import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { UsageError } from 'mikro-orm-safe-migrations/cli';
import { InvalidRowError } from '../../errors.ts';
import type { LoadColumn } from '../../loading/load-target.ts';
import { exactJson } from '../../json/exact-json.ts';
import { longestRow, tooLong } from './source.ts';

const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * The rows of a CSV whose first line names properties. As PostgreSQL writes it: nothing between two commas is NULL, `""` an empty
 * text, and a document is JSON.
 *
 * @throws UsageError on a heading that names no property, or one twice; InvalidRowError
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
 * The cells of a CSV, by the names of its first line, which `checkNames` may refuse. Nothing between two commas is null, `""` an empty
 * text.
 *
 * @throws UsageError on a heading that has a name twice, or is not there; InvalidRowError
 */
export async function* csvRecords(
  text: AsyncIterable<string>,
  checkNames: (heading: readonly string[]) => void = () => {},
): AsyncGenerator<Record<string, string | null>> {
  let isNamed = false;
  const parser = parse({
    // Of whatever kind: the parser would take the first for that of all, and leave the rest of the others in the last cells.
    record_delimiter: ['\r\n', '\n', '\r'],
    max_record_size: longestRow,
    columns: (heading: string[]) => {
      const twice = heading.find((name, index) => heading.indexOf(name) !== index);
      if (twice !== undefined) throw new UsageError(`the heading has "${twice}" twice`);
      checkNames(heading);
      isNamed = true;
      return heading;
    },
    cast: (cell, { quoting, header }) => (cell === '' && !quoting && !header ? null : cell),
  });
  // Not `compose` or `pipeline`, which tell of a bad record when the text has ended: that of a pipe may not.
  const source = Readable.from(text).on('error', (error) => parser.destroy(error));
  const records: AsyncIterable<Record<string, string | null>> = source.pipe(parser);
  try {
    yield* records;
  } catch (error) {
    throw error instanceof CsvError ? malformed(error) : error;
  } finally {
    source.destroy();
  }
  if (!isNamed) throw new UsageError('there is nothing to read: a CSV begins with the names of properties');
}

function checkHeading(heading: readonly string[], known: ReadonlyMap<string, LoadColumn>): void {
  for (const name of heading) {
    if (known.has(name)) continue;
    const meant = [...known.values()].find((column) => column.name === name);
    const names = meant ? `"${meant.property}" is meant` : `it may name ${[...known.keys()].join(', ')}`;
    throw new UsageError(`the heading names "${name}", which is no property; ${names}`);
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
  // What is no number stays a text, which the column refuses.
  if (type === 'integer' || type === 'double precision') return number.test(cell) ? Number(cell) : cell;
  if (type !== 'jsonb') return cell;
  try {
    return exactJson(cell);
  } catch (cause) {
    throw new InvalidRowError(at, 'is not valid JSON', { cause });
  }
}

const faults: Partial<Record<string, string>> = {
  CSV_RECORD_INCONSISTENT_COLUMNS: 'has more cells than the heading, or fewer',
  CSV_MAX_RECORD_SIZE: tooLong,
};

// The parser's own words may hold a cell.
function malformed(error: CsvError): InvalidRowError {
  const row = typeof error['records'] === 'number' ? error['records'] + 1 : 1;
  const what = faults[error.code] ?? `is malformed (${error.code})`;
  return new InvalidRowError({ row, property: null }, `${what}, line ${String(error['lines'])}`, {
    cause: error,
  });
}
