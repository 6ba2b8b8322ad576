import { InvalidJsonError } from '../../errors.ts';
import { checkPayload } from '../../repositories/cached-payload.ts';
import type { FindingOutcome, ImportRemedy, RemediedFinding } from './import-finding.ts';
import type { SourceRow } from '../source/legacy-source.ts';
import type { TargetColumn, TargetTable } from '../destination/target-table.ts';
import { CellError, plain, toCell, type Cell } from './cell.ts';
import { deriveKey } from './derive-key.ts';
import type { TimeForm, TimestampOptions } from './read-timestamp.ts';
import { rowDigest } from './row-digest.ts';
import type { SourceTimeZone } from './source-time-zone.ts';

/** How rows are converted. */
export interface ConversionOptions {
  /** The time zone of times without one. Default: none, such times are rejected. Those that SQLite wrote are UTC. */
  readonly zone?: SourceTimeZone | undefined;
  /** Whether NaN and Infinity in JSON become null, and characters that PostgreSQL can't store U+FFFD. Default: false, they are rejected. */
  readonly replaceInvalidJson?: boolean | undefined;
  /** Whether a dangling reference becomes NULL where its foreign key says `on delete set null`. Default: false, the row is rejected. */
  readonly nullDangling?: boolean | undefined;
  /** Whether to reject JSON that does not match its shape, repeated keys and NULL with a default, instead of reporting them. Default: false. */
  readonly strict?: boolean | undefined;
}

interface RowOptions extends ConversionOptions {
  /** The columns that the source lacks. */
  readonly absent: ReadonlySet<string>;
}

/** What must be known of the source of rows. */
export interface RowOrigin {
  readonly isSqlite: boolean;
  /** Whether it has a column. */
  has(table: string, column: string): boolean;
}

/** A row that is ready for PostgreSQL. */
export interface ConvertedRow {
  readonly key: readonly string[];
  /** The fields of COPY, in the order of the columns. */
  readonly fields: readonly (string | null)[];
  /** The result of `rowDigest`. */
  readonly digest: string;
  readonly generated: boolean;
  readonly jsonNulls: number;
  /** How its times were written. */
  readonly times: readonly TimeForm[];
}

/** Whether the row that a column references is, or will be, in the target. */
export type HasParent = (column: TargetColumn, key: string) => boolean;

/** Converts the rows of one table for PostgreSQL. */
export class RowConverter {
  readonly #table: TargetTable;
  readonly #options: RowOptions;
  readonly #times: TimestampOptions;
  readonly #keys: readonly number[];

  constructor(
    table: TargetTable,
    { source, ...options }: ConversionOptions & { readonly source: RowOrigin },
  ) {
    this.#table = table;
    const absent = table.columns.filter(({ name }) => !source.has(table.name, name));
    this.#options = { ...options, absent: new Set(absent.map(({ name }) => name)) };
    this.#times = { zone: options.zone, fromSqlite: source.isSqlite };

    this.#keys = table.key.map((key) => table.columns.findIndex(({ name }) => name === key));
  }

  /** Returns the converted row; null when it is rejected. Adds what it finds to `findings`. */
  convert(row: SourceRow, hasParent: HasParent, findings: RemediedFinding[]): ConvertedRow | null {
    const found: RemediedFinding[] = [];
    const conversion = new Conversion(this.#table, () => this.describeKey(row), this.#options, found);
    const cells = this.#table.columns.map((column, index) =>
      conversion.cell(column, row.values[index] ?? null, this.#times),
    );
    const generated = this.#generateKey(row, cells);
    // A cycle is reported once, below.
    const has: HasParent = (column, key) =>
      (row.inCycle && column.name === this.#table.parent) || hasParent(column, key);
    for (let index = 0; index < cells.length; index++) {
      const [cell, column] = [cells[index], this.#table.columns[index]];
      if (cell && column) cells[index] = conversion.check(column, cell, has);
    }
    if (this.#table.name === 'analysis_cache')
      conversion.checkPayload(this.#text(cells, 'cache_key'), this.#text(cells, 'data'));
    if (row.inCycle)
      conversion.reject(this.#table.parent ?? null, 'is part of a cycle of parents, or leads to one');
    // Of a rejected row, only the reasons are reported.
    for (const finding of found)
      if (!conversion.rejected || finding.outcome === 'rejected') findings.push(finding);
    return conversion.rejected ? null : this.#converted(cells, generated);
  }

  #converted(cells: readonly (Cell | null)[], generated: boolean): ConvertedRow {
    const fields: (string | null)[] = [];
    const canonical: (string | null)[] = [];
    const times: TimeForm[] = [];
    let jsonNulls = 0;
    for (const cell of cells) {
      fields.push(cell?.text ?? null);
      canonical.push(cell?.canonical ?? null);
      if (cell?.jsonNull) jsonNulls++;
      if (cell?.timeForm) times.push(cell.timeForm);
    }
    const key = this.#keys.map((index) => cells[index]?.text ?? '');
    return { key, fields, digest: rowDigest(canonical), generated, jsonNulls, times };
  }

  /** Returns the row's key in the source, for display; without a key, its position. */
  describeKey({ values, place }: SourceRow): string {
    const key = this.#keys.map((index) => values[index]);
    return key.some((value) => typeof value !== 'string') ? `(row ${place})` : key.map(String).join(', ');
  }

  #text(cells: readonly (Cell | null)[], column: string): string | null {
    return cells[this.#table.columns.findIndex(({ name }) => name === column)]?.text ?? null;
  }

  #generateKey(row: SourceRow, cells: (Cell | null)[]): boolean {
    const [key = 0] = this.#keys;
    const { keyPrefix } = this.#table;
    if (keyPrefix === undefined || row.values[key] !== null) return false;
    const text = deriveKey(
      keyPrefix,
      row.place,
      cells.map((cell) => cell?.canonical ?? null),
    );
    cells[key] = plain(text);
    return true;
  }
}

/** The conversion of one row. */
class Conversion {
  rejected = false;
  readonly #table: TargetTable;
  readonly #key: () => string;
  readonly #options: RowOptions;
  readonly #findings: RemediedFinding[];

  constructor(table: TargetTable, key: () => string, options: RowOptions, findings: RemediedFinding[]) {
    this.#table = table;
    this.#key = key;
    this.#options = options;
    this.#findings = findings;
  }

  /** Converts a value; returns null, and rejects the row, when PostgreSQL can't store it. */
  cell(column: TargetColumn, value: SourceRow['values'][number], times: TimestampOptions): Cell | null {
    try {
      return toCell(value, column, times);
    } catch (error) {
      if (!(error instanceof CellError)) throw error;
      this.reject(column.name, error.message, error.remedy);
      return null;
    }
  }

  /** Checks a cell against the constraints of its column; returns it, or its replacement. */
  check(column: TargetColumn, cell: Cell, hasParent: HasParent): Cell {
    for (const { path, problem } of cell.json?.invalid ?? []) {
      if (this.#options.replaceInvalidJson) this.#report('replaced', column.name, `${path} ${problem}`);
      else
        this.reject(
          column.name,
          `${path} ${problem}, which PostgreSQL can't store`,
          '--replace-invalid-json',
        );
    }
    for (const { path, problem } of cell.json?.repeated ?? [])
      this.#tolerate('repeated_key', column.name, `${path} ${problem}`);
    if (cell.text === null || cell.checked === null) return this.#checkNull(column, cell);
    for (const { name, isViolatedBy } of column.rules)
      if (isViolatedBy(cell.checked)) this.reject(column.name, `violates ${name}`);
    if (column.shape && cell.json && !this.rejected) this.#checkColumnShape(column, cell.text);
    const { references } = column;
    if (!references || hasParent(column, cell.text)) return cell;
    const reason = `references a row of ${references.table} that does not exist or was rejected`;
    if (!references.nulled || !this.#options.nullDangling) {
      this.#rejectDangling(column.name, reason, references.nulled);
      return cell;
    }
    this.#report('nulled', column.name, reason);
    return { ...cell, text: null, canonical: null };
  }

  /** Checks the document of a cache entry against the shape of its key. */
  checkPayload(key: string | null, document: string | null): void {
    if (key === null || document === null || this.rejected) return;
    this.#checkShape('data', () => checkPayload(key, JSON.parse(document)));
  }

  /** Rejects the row, with a reason and the option that would let it in. */
  reject(column: string | null, reason: string, remedy: ImportRemedy | null = null): void {
    this.rejected = true;
    this.#report('rejected', column, reason, { remedy });
  }

  #rejectDangling(column: string, reason: string, mayBeNull: boolean): void {
    this.rejected = true;
    this.#report('rejected', column, reason, {
      remedy: mayBeNull ? '--null-dangling' : null,
      isDangling: true,
    });
  }

  #checkNull(column: TargetColumn, cell: Cell): Cell {
    if (column.nullable) return cell;
    const isAbsent = this.#options.absent.has(column.name);
    const what = isAbsent ? 'is no column of the source' : cell.jsonNull ? 'is JSON null' : 'is NULL';
    if (column.default === undefined) {
      this.reject(column.name, `${what}, but the column is NOT NULL`);
      return cell;
    }
    // What a whole column lacks is reported once, with the source.
    if (!isAbsent)
      this.#tolerate(
        'defaulted',
        column.name,
        `${what}, but the column is NOT NULL; its default ${column.default} is stored`,
      );
    return { ...cell, text: column.default, canonical: column.default };
  }

  #checkColumnShape({ name, shape }: TargetColumn, document: string): void {
    this.#checkShape(name, () => shape?.checkShape(JSON.parse(document)));
  }

  #checkShape(column: string, check: () => void): void {
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

  #tolerate(outcome: FindingOutcome, column: string, reason: string): void {
    if (this.#options.strict) this.reject(column, reason);
    else this.#report(outcome, column, reason);
  }

  #report(
    outcome: FindingOutcome,
    column: string | null,
    reason: string,
    { remedy = null, isDangling = false }: Partial<Pick<RemediedFinding, 'remedy' | 'isDangling'>> = {},
  ): void {
    this.#findings.push({
      outcome,
      table: this.#table.name,
      key: this.#key(),
      column,
      reason,
      remedy,
      isDangling,
    });
  }
}
