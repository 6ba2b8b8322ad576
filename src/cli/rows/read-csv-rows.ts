import { UsageError } from 'mikro-orm-safe-migrations/cli';
import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { InvalidRowError } from '../../errors.ts';
import { ConversionError } from '../../loading/load/conversion-error.ts';
import type { LoadColumn } from '../../loading/load/load-target.ts';
import type { CellReader } from './cell-reader.ts';
import { CsvHeader } from './csv-header.ts';
import { findDelimiter, peek } from './delimiter.ts';
import type { JsonReader } from './json-reader.ts';
import { maxRowSize, rowTooLong } from './source.ts';

/** How a CSV is read. */
export interface CsvOptions {
  readonly cells: CellReader;
  readonly json: JsonReader;
  /** Undefined to find it out from the header. */
  readonly delimiter: string | undefined;
  /** The line of the header, from 1. */
  readonly headerLine: number;
  /** The names that columns get, by those in the header; an empty one leaves the column out. */
  readonly columns: ReadonlyMap<string, string>;
}

/** The cells of a row; null for no value. */
type Cells = Record<string, string | null>;

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * Yields the rows of a CSV whose header names properties, in PostgreSQL's format unless `options` say otherwise: an empty cell is NULL, `""`
 * an empty text, and a document is JSON. Blank lines at the end are left out.
 *
 * @throws UsageError when the header has an unknown or repeated property.
 * @throws InvalidRowError for the first malformed row.
 */
export async function* readCsvRows(
  text: AsyncIterable<string>,
  columns: readonly LoadColumn[],
  options: CsvOptions,
): AsyncGenerator<object> {
  const known = new Map(columns.map((column) => [column.property, column]));
  let row = 0;
  for await (const record of readCsvRecords(text, options, (heading) => checkHeading(heading, known))) {
    row += 1;
    yield rowOf(record, row, known, options);
  }
}

/**
 * Yields the records of a CSV, keyed by the names of its header, which `checkNames` may refuse. An empty cell is null, `""` an empty text.
 *
 * @throws UsageError when the header is missing or repeats a name.
 * @throws InvalidRowError for the first malformed row.
 */
export async function* readCsvRecords(
  given: AsyncIterable<string>,
  { delimiter: asked, headerLine, columns, cells }: CsvOptions,
  checkNames: (heading: readonly string[]) => void = () => {},
): AsyncGenerator<Cells> {
  const { declared, line, text, skipped } = await peek(given, headerLine);
  const delimiter = asked ?? declared ?? findDelimiter(line);
  const parser = parse({
    delimiter,
    // By default the parser detects one kind of line end, and leaves parts of the others in the last cells.
    record_delimiter: ['\r\n', '\n', '\r'],
    max_record_size: maxRowSize,
    relax_column_count: true,
    info: true,
    cast: (cell, { quoting }) => (cell === '' && !quoting ? null : cell),
  });
  // `compose` and `pipeline` report a bad record at the end of the text only, which a pipe may never reach.
  const source = Readable.from(text).on('error', (error) => parser.destroy(error));
  const records: AsyncIterable<{ record: (string | null)[]; info: { lines: number } }> = source.pipe(parser);
  let header: CsvHeader | undefined;
  let [row, blank] = [0, 0];
  try {
    for await (const { record, info } of records) {
      if (!header) {
        header = new CsvHeader(record, { delimiter, columns });
        checkNames(header.names);
        continue;
      }
      row += 1;
      if (header.isBlank(record)) {
        if (blank === 0) blank = row;
        continue;
      }
      if (blank > 0) throw new InvalidRowError({ row: blank, property: null }, 'is blank; remove it');
      yield valuesOf(header.cells(record, row, info.lines + skipped), cells);
    }
  } catch (error) {
    throw error instanceof CsvError ? malformed(error, skipped) : error;
  } finally {
    source.destroy();
  }
  if (!header) throw new UsageError('the CSV is empty; it must begin with a header of property names');
}

function valuesOf(record: Cells, cells: CellReader): Cells {
  for (const [name, cell] of Object.entries(record))
    if (cell !== null && cells.isNull(cell)) record[name] = null;
  return record;
}

function checkHeading(heading: readonly string[], known: ReadonlyMap<string, LoadColumn>): void {
  for (const name of heading) {
    if (known.has(name)) continue;
    const meant = [...known.values()].find((column) => column.name === name);
    const hint = meant
      ? `did you mean "${meant.property}"?`
      : `expected: ${[...known.keys()].join(', ')}; rename it with --columns '${name}=…', or leave it out with --columns '${name}='`;
    throw new UsageError(`unknown property "${name}" in the header; ${hint}`);
  }
}

function rowOf(
  record: Readonly<Cells>,
  row: number,
  known: ReadonlyMap<string, LoadColumn>,
  options: CsvOptions,
): object {
  const values = Object.entries(record).map(([property, cell]) => {
    const type = known.get(property)?.type;
    return [property, cell === null ? null : valueOf(cell, type, { row, property }, options)];
  });
  return Object.fromEntries(values);
}

function valueOf(
  cell: string,
  type: LoadColumn['type'] | undefined,
  at: { row: number; property: string },
  { cells, json }: CsvOptions,
): unknown {
  if (type === 'jsonb') return json.parse(cell, at);
  try {
    if (type === 'timestamptz') return cells.time(cell);
    if (type !== 'integer' && type !== 'double precision') return cell;
    const number = cells.number(cell);
    // Other text is passed on, and refused by the encoder of the column.
    return decimal.test(number) ? Number(number) : number;
  } catch (cause) {
    if (!(cause instanceof ConversionError)) throw cause;
    throw new InvalidRowError(at, cause.message, { cause });
  }
}

// The parser's message may contain a cell.
function malformed(error: CsvError, skipped: number): InvalidRowError {
  // The header is a record, too.
  const row = typeof error['records'] === 'number' ? Math.max(error['records'], 1) : 1;
  const what = error.code === 'CSV_MAX_RECORD_SIZE' ? rowTooLong : `is malformed (${error.code})`;
  return new InvalidRowError({ row, property: null }, `${what}, line ${Number(error['lines']) + skipped}`, {
    cause: error,
  });
}
