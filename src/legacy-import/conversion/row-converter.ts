import { InvalidJsonError } from '../../errors.ts';
import { checkPayload } from '../../repositories/cached-payload.ts';
import type { Finding, Outcome } from '../finding.ts';
import type { SourceRow } from '../source/legacy-source.ts';
import type { TargetColumn, TargetTable } from '../target/target-table.ts';
import { CellError, toCell, type Cell } from './cell.ts';
import { mintedKey } from './minted-key.ts';
import { rowDigest } from './row-digest.ts';
import type { SourceTimeZone } from './source-time-zone.ts';

export interface ConversionOptions {
  /** The zone of times without one. Default none: such times are rejected. */
  readonly zone?: SourceTimeZone | undefined;
  /** Whether to store null for NaN and Infinity, and U+FFFD for characters, where PostgreSQL's JSON has no place for them. */
  readonly replaceInvalidJson?: boolean | undefined;
  /** Whether to store NULL for a reference to a row that does not exist, where the row lives on without it. */
  readonly nullDangling?: boolean | undefined;
  /** Whether to reject what is stored and reported otherwise: JSON out of shape, repeated keys, NULL that has a default. */
  readonly strict?: boolean | undefined;
}

/** A row that PostgreSQL can be sent. */
export interface ConvertedRow {
  readonly key: readonly string[];
  /** What COPY is sent, in the order of the columns. */
  readonly fields: readonly (string | null)[];
  /** As `rowDigest` makes it. */
  readonly digest: string;
  readonly minted: boolean;
  readonly jsonNulls: number;
}

/** Whether the row that a reference points at is, or will be, in the target. */
export type HasParent = (column: TargetColumn, key: string) => boolean;

/** Turns the rows of one table into what PostgreSQL is sent, or says why not. */
export class RowConverter {
  readonly #table: TargetTable;
  readonly #options: ConversionOptions;
  readonly #filledWithNow: ReadonlySet<string>;
  readonly #keys: readonly number[];

  constructor(table: TargetTable, filledWithNow: ReadonlySet<string>, options: ConversionOptions) {
    this.#table = table;
    this.#options = options;
    this.#filledWithNow = filledWithNow;
    this.#keys = table.key.map((key) => table.columns.findIndex(({ name }) => name === key));
  }

  /** The row, or null when it is rejected; what is worth telling goes to `findings`. */
  convert(row: SourceRow, hasParent: HasParent, findings: Finding[]): ConvertedRow | null {
    const found: Finding[] = [];
    const conversion = new Conversion(this.#table, () => this.describeKey(row), this.#options, found);
    const cells = this.#table.columns.map((column, index) =>
      conversion.cell(column, row.values[index] ?? null, this.#filledWithNow.has(column.name)),
    );
    const minted = this.#mint(row, cells);
    // What is told of a cycle is enough.
    const has: HasParent = (column, key) =>
      (row.inCycle && column.name === this.#table.parent) || hasParent(column, key);
    for (let index = 0; index < cells.length; index++) {
      const [cell, column] = [cells[index], this.#table.columns[index]];
      if (cell && column) cells[index] = conversion.checked(column, cell, has);
    }
    if (this.#table.name === 'analysis_cache')
      conversion.payload(this.#text(cells, 'cache_key'), this.#text(cells, 'data'));
    if (row.inCycle)
      conversion.reject(this.#table.parent ?? null, 'leads back to the row itself, or to a row that does');
    // Of a row that is not stored, nothing is worth telling but why.
    for (const finding of found)
      if (!conversion.rejected || finding.outcome === 'rejected') findings.push(finding);
    return conversion.rejected ? null : this.#converted(cells, minted);
  }

  #converted(cells: readonly (Cell | null)[], minted: boolean): ConvertedRow {
    const fields: (string | null)[] = [];
    const canonical: (string | null)[] = [];
    let jsonNulls = 0;
    for (const cell of cells) {
      fields.push(cell?.text ?? null);
      canonical.push(cell?.canonical ?? null);
      if (cell?.jsonNull) jsonNulls++;
    }
    const key = this.#keys.map((index) => cells[index]?.text ?? '');
    return { key, fields, digest: rowDigest(canonical), minted, jsonNulls };
  }

  /** The key as it is in the source, for people. */
  describeKey({ values, place }: SourceRow): string {
    const key = this.#keys.map((index) => values[index]);
    return key.some((value) => typeof value !== 'string') ? `(row ${place})` : key.map(String).join(', ');
  }

  #text(cells: readonly (Cell | null)[], column: string): string | null {
    return cells[this.#table.columns.findIndex(({ name }) => name === column)]?.text ?? null;
  }

  #mint(row: SourceRow, cells: (Cell | null)[]): boolean {
    const [key = 0] = this.#keys;
    const { mintedPrefix } = this.#table;
    if (mintedPrefix === undefined || row.values[key] !== null) return false;
    const text = mintedKey(
      mintedPrefix,
      row.place,
      cells.map((cell) => cell?.canonical ?? null),
    );
    cells[key] = { text, canonical: text, checked: text, json: undefined, jsonNull: false };
    return true;
  }
}

/** What is found out about one row. */
class Conversion {
  rejected = false;
  readonly #table: TargetTable;
  readonly #key: () => string;
  readonly #options: ConversionOptions;
  readonly #findings: Finding[];

  constructor(table: TargetTable, key: () => string, options: ConversionOptions, findings: Finding[]) {
    this.#table = table;
    this.#key = key;
    this.#options = options;
    this.#findings = findings;
  }

  /** The value of a column; null when there is none that PostgreSQL would take. */
  cell(column: TargetColumn, value: SourceRow['values'][number], filledBySource: boolean): Cell | null {
    try {
      return toCell(value, column, { zone: this.#options.zone, filledBySource });
    } catch (error) {
      if (!(error instanceof CellError)) throw error;
      this.reject(column.name, error.message);
      return null;
    }
  }

  /** The cell, or what is stored in its place. */
  checked(column: TargetColumn, cell: Cell, hasParent: HasParent): Cell {
    for (const { path, problem } of cell.json?.invalid ?? []) {
      if (this.#options.replaceInvalidJson) this.#say('replaced', column.name, `${path} ${problem}`);
      else this.reject(column.name, `${path} ${problem}, which PostgreSQL can not store`);
    }
    for (const { path, problem } of cell.json?.repeated ?? [])
      this.#tolerate('repeated_key', column.name, `${path} ${problem}`);
    if (cell.text === null || cell.checked === null) return this.#missing(column, cell);
    for (const { name, broken } of column.rules)
      if (broken(cell.checked)) this.reject(column.name, `breaks ${name}`);
    if (column.shape && cell.json && !this.rejected) this.#hasShape(column, cell.text);
    const { references } = column;
    if (!references || hasParent(column, cell.text)) return cell;
    const reason = `points at a row of ${references.table} that does not exist, or was rejected`;
    if (!references.nulled || !this.#options.nullDangling) {
      this.reject(column.name, reason);
      return cell;
    }
    this.#say('nulled', column.name, reason);
    return { ...cell, text: null, canonical: null };
  }

  /** Holds the document of a cache entry against what its key stands for. */
  payload(key: string | null, document: string | null): void {
    if (key === null || document === null || this.rejected) return;
    this.#shaped('data', () => checkPayload(key, JSON.parse(document)));
  }

  reject(column: string | null, reason: string): void {
    this.rejected = true;
    this.#say('rejected', column, reason);
  }

  #missing(column: TargetColumn, cell: Cell): Cell {
    if (column.nullable) return cell;
    const what = cell.jsonNull ? 'is JSON null' : 'is NULL';
    if (column.default === undefined) {
      this.reject(column.name, `${what}, but the column needs a value`);
      return cell;
    }
    this.#tolerate(
      'defaulted',
      column.name,
      `${what}, but the column needs a value; its default is ${column.default}`,
    );
    return { ...cell, text: column.default, canonical: column.default };
  }

  #hasShape({ name, shape }: TargetColumn, document: string): void {
    this.#shaped(name, () => shape?.checkShape(JSON.parse(document)));
  }

  #shaped(column: string, check: () => void): void {
    try {
      check();
    } catch (error) {
      if (!(error instanceof InvalidJsonError)) throw error;
      const places = error.issues.map(
        ({ path, message }) => `${path.map(String).join('.') || '(document)'}: ${message}`,
      );
      this.#tolerate('out_of_shape', column, places.slice(0, 3).join('; '));
    }
  }

  #tolerate(outcome: Outcome, column: string, reason: string): void {
    if (this.#options.strict) this.reject(column, reason);
    else this.#say(outcome, column, reason);
  }

  #say(outcome: Outcome, column: string | null, reason: string): void {
    this.#findings.push({ outcome, table: this.#table.name, key: this.#key(), column, reason });
  }
}
