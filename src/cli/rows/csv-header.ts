import { UsageError } from 'mikro-orm-safe-migrations/cli';
import { InvalidRowError } from '../../errors.ts';
import { delimiterName, delimiters } from './delimiter.ts';

type Cells = Record<string, string | null>;

/** The header of a CSV: which of its columns are read, and under which names. */
export class CsvHeader {
  /** The names of the columns that are read, in their order. */
  readonly names: readonly string[];
  /** The name of each column; null when it is left out, undefined when it has none. */
  readonly #columns: readonly (string | null | undefined)[];

  /**
   * `columns` has the names that columns get, by those in the file; an empty one leaves the column out.
   *
   * @throws UsageError when a name is missing or repeated, or `columns` has one that the file lacks.
   */
  constructor(
    record: readonly (string | null)[],
    { delimiter, columns }: { readonly delimiter: string; readonly columns: ReadonlyMap<string, string> },
  ) {
    const given = record.map((name) => name?.trim() ?? '');
    if (given.length === 1) checkDelimiter(given[0] ?? '', delimiter);
    const lacking = [...columns.keys()].filter((name) => !given.includes(name));
    if (lacking.length > 0)
      throw new UsageError(
        `--columns names ${lacking.join(', ')}, which the header lacks; it has: ${given.join(', ')}`,
      );
    const named = given.findLastIndex((name) => name !== '') + 1;
    // Spreadsheets write columns that were once in use without a name at the end.
    this.#columns = given.map((name, index) => {
      if (name === '' && index < named) throw unnamed(index);
      const renamed = columns.get(name) ?? name;
      return name === '' ? undefined : renamed === '' ? null : renamed;
    });
    if (named === 0) throw unnamed(0);
    this.names = this.#columns.filter((name) => name != null);
    const twice = this.names.find((name, index) => this.names.indexOf(name) !== index);
    if (twice !== undefined) throw new UsageError(`the header has "${twice}" twice; remove one`);
  }

  /** Whether a record is an empty line, or has no value in any cell. In a file of one column, such a line is a row without a value. */
  isBlank(record: readonly (string | null)[]): boolean {
    return this.#columns.length > 1 && record.every((cell) => cell === null);
  }

  /**
   * Returns the cells of a record by their names.
   *
   * @throws InvalidRowError when it has another number of cells, or a value in a column without a name.
   */
  cells(record: readonly (string | null)[], row: number, line: number): Cells {
    if (record.length !== this.#columns.length)
      throw new InvalidRowError(
        { row, property: null },
        `has another number of cells than the header: ${record.length}, not ${this.#columns.length}, line ${line}`,
      );
    const cells: Cells = {};
    for (const [index, name] of this.#columns.entries()) {
      const cell = record[index] ?? null;
      if (name != null) cells[name] = cell;
      else if (name === undefined && cell !== null)
        throw new InvalidRowError(
          { row, property: null },
          `has a value in column ${index + 1}, which has no name in the header, line ${line}`,
        );
    }
    return cells;
  }
}

function checkDelimiter(name: string, delimiter: string): void {
  const other = delimiters.find((candidate) => candidate !== delimiter && name.includes(candidate));
  if (other === undefined) return;
  throw new UsageError(
    `the header has one name only, and looks separated by ${delimiterName(other)}: give --delimiter '${delimiterName(other)}'`,
  );
}

function unnamed(index: number): UsageError {
  return new UsageError(
    `column ${index + 1} has no name in the header; if titles stand above it, give its line with --header-line`,
  );
}
