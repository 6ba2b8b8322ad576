import { BinaryRows, type CopiedValue } from '../postgres/copy/binary-rows.ts';
import { InvalidJsonError, InvalidRowError } from '../errors.ts';
import { isRawJSON } from '../json/raw-json.ts';
import { copiedValues } from './copied-values.ts';
import type { LoadColumn, LoadTarget } from './load-target.ts';
import { UnfitValue } from './unfit-value.ts';

/** What the rows of a load have to be like. */
export interface RowRules {
  /** Properties that no row may leave out or set to null. */
  readonly key: readonly LoadColumn[];
  /** Whether what a row leaves out is filled in, or is missing. Rows that only complete others have nothing filled in. */
  readonly complete: boolean;
  /** A property that the load itself writes, and rows may not give. */
  readonly kept: LoadColumn | null;
}

/** Turns rows into what COPY takes, and keeps in mind how many there were and which properties they gave. */
export class RowsToCopy {
  /** How many there were so far. */
  count = 0;
  readonly #target: LoadTarget;
  readonly #rules: RowRules;
  readonly #known: ReadonlySet<string>;
  // By a text with a 1 for each column that a row gives. There are few: rows mostly give the same.
  readonly #shapes = new Map<string, number>();

  constructor(target: LoadTarget, rules: RowRules) {
    this.#target = target;
    this.#rules = rules;
    this.#known = new Set(target.columns.map(({ property }) => property));
  }

  /** The numbers of the shapes in which rows gave `column`; `all` when every row did. */
  shapesWith(column: LoadColumn): readonly number[] | 'all' {
    const index = this.#target.columns.indexOf(column);
    const giving = [...this.#shapes].filter(([shape]) => shape[index] === '1').map(([, number]) => number);
    return giving.length === this.#shapes.size ? 'all' : giving;
  }

  /**
   * The rows, in pieces for a binary COPY: a value for each column of the target; when `numbered`, then the row's number and its
   * shape's.
   *
   * @throws InvalidRowError
   */
  async *pieces(rows: Iterable<unknown> | AsyncIterable<unknown>, numbered: boolean): AsyncGenerator<Buffer> {
    const types = this.#target.columns.map(({ type }) => type);
    const gathered = new BinaryRows(numbered ? [...types, 'integer', 'integer'] : types);
    for await (const row of rows) {
      this.count += 1;
      const full = gathered.add(this.#values(row, numbered));
      if (full) yield full;
    }
    yield gathered.finish();
  }

  #values(row: unknown, numbered: boolean): CopiedValue[] {
    if (!isRecord(row)) throw this.#invalid(null, 'is no object of properties');
    let shape = '';
    const values: CopiedValue[] = [];
    for (const column of this.#target.columns) {
      const value = row[column.property];
      if (numbered) shape += value === undefined ? '0' : '1';
      values.push(value === undefined ? this.#missing(column) : this.#given(column, value));
    }
    for (const name in row) if (!this.#known.has(name)) throw this.#invalid(name, this.#unknown());
    if (numbered) values.push(this.count, this.#numberOf(shape));
    return values;
  }

  #given(column: LoadColumn, value: unknown): CopiedValue {
    const { kept, key, complete } = this.#rules;
    if (column === kept) throw this.#invalid(column.property, 'counts changes, this one too: leave it out');
    if (value === null) {
      if (key.includes(column)) throw this.#invalid(column.property, 'is null, and part of the key');
      if (complete && !column.nullable) throw this.#invalid(column.property, 'is null, and must not be');
      return null;
    }
    try {
      const copied = copiedValues[column.type](value);
      if (column.check) checked(column.check, value, copied);
      return copied;
    } catch (error) {
      if (error instanceof UnfitValue || error instanceof InvalidJsonError)
        throw this.#invalid(column.property, error.message, { cause: error });
      throw error;
    }
  }

  #missing(column: LoadColumn): CopiedValue {
    const { complete, key } = this.#rules;
    if (!complete) {
      if (key.includes(column)) throw this.#invalid(column.property, 'is missing, and part of the key');
      return null;
    }
    if (column.fill) return column.fill();
    if (column.nullable && !key.includes(column)) return null;
    throw this.#invalid(column.property, 'is missing, and has no default');
  }

  #numberOf(shape: string): number {
    const known = this.#shapes.get(shape);
    if (known !== undefined) return known;
    this.#shapes.set(shape, this.#shapes.size);
    return this.#shapes.size - 1;
  }

  #unknown(): string {
    return `is no property of ${this.#target.entity}; it has ${[...this.#known].join(', ')}`;
  }

  #invalid(property: string | null, what: string, options?: ErrorOptions): InvalidRowError {
    return new InvalidRowError({ row: this.count, property }, what, options);
  }
}

function isRecord(row: unknown): row is Readonly<Record<string, unknown>> {
  return typeof row === 'object' && row !== null && !Array.isArray(row);
}

function checked(check: (document: unknown) => void, document: unknown, text: CopiedValue): void {
  try {
    check(document);
  } catch (error) {
    // A shape knows no numbers with more digits than JavaScript's have.
    if (!holdsLongNumbers(document)) throw error;
    check(JSON.parse(String(text)));
  }
}

function holdsLongNumbers(value: unknown): boolean {
  if (typeof value === 'bigint') return true;
  if (typeof value !== 'object' || value === null) return false;
  return isRawJSON(value) || Object.values(value).some(holdsLongNumbers);
}
