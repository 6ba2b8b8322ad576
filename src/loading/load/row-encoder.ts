import { BinaryRowEncoder, type CopiedValue } from '../../postgres/copy/binary-rows.ts';
import { InvalidJsonError, InvalidRowError } from '../../errors.ts';
import { copyEncoders } from './copy-encoders.ts';
import type { LoadColumn, LoadTarget } from './load-target.ts';
import { validateDocument } from './validate-document.ts';
import type { ReferencedKeys } from './referenced-keys.ts';
import { ConversionError } from './conversion-error.ts';

/** What a load requires of its rows. */
export interface RowRules {
  /** Columns that no row may leave out or set to null. */
  readonly key: readonly LoadColumn[];
  /** Whether rows are inserted: what they leave out gets its default, or is an error. */
  readonly insertable: boolean;
  /** The column that the load itself writes, which rows must leave out; null for other modes. */
  readonly managed: LoadColumn | null;
}

/** Encodes rows for a binary COPY; counts them, and records which properties they give. */
export class RowEncoder {
  /** The number of rows read so far. */
  count = 0;
  readonly #target: LoadTarget;
  readonly #rules: RowRules;
  readonly #references: ReferencedKeys;
  readonly #known: ReadonlySet<string>;
  // Keyed by a text with a 1 for each column that a row gives. Few entries: most rows give the same properties.
  readonly #shapes = new Map<string, number>();

  /** @param references gets the parents that rows reference. */
  constructor(target: LoadTarget, rules: RowRules, references: ReferencedKeys) {
    this.#target = target;
    this.#rules = rules;
    this.#references = references;
    this.#known = new Set(target.columns.map(({ property }) => property));
  }

  /** Returns the numbers of the shapes that include `column`; `all` when every row gave it. */
  shapesWith(column: LoadColumn): readonly number[] | 'all' {
    const index = this.#target.columns.indexOf(column);
    const giving = [...this.#shapes].filter(([shape]) => shape[index] === '1').map(([, number]) => number);
    return giving.length === this.#shapes.size ? 'all' : giving;
  }

  /**
   * Yields the rows in chunks of a binary COPY: a value for each column of the target and, when `numbered`, the number of the row and of
   * its shape.
   *
   * @throws InvalidRowError for the first row that can't be stored.
   */
  async *encode(rows: Iterable<unknown> | AsyncIterable<unknown>, numbered: boolean): AsyncGenerator<Buffer> {
    const types = this.#target.columns.map(({ type }) => type);
    const gathered = new BinaryRowEncoder(numbered ? [...types, 'integer', 'integer'] : types);
    for await (const row of rows) {
      this.count += 1;
      const full = gathered.add(this.#values(row, numbered));
      if (full) yield full;
    }
    yield gathered.finish();
  }

  #values(row: unknown, numbered: boolean): CopiedValue[] {
    if (!isRecord(row)) throw this.#invalid(null, 'is not an object of properties');
    let shape = '';
    const values: CopiedValue[] = [];
    for (const column of this.#target.columns) {
      const value = row[column.property];
      if (numbered) shape += value === undefined ? '0' : '1';
      const copied = value === undefined ? this.#missing(column) : this.#given(column, value);
      if (column.references !== null) this.#references.add(column, copied, this.count);
      values.push(copied);
    }
    for (const name in row) if (!this.#known.has(name)) throw this.#invalid(name, this.#unknown());
    if (numbered) values.push(this.count, this.#numberOf(shape));
    return values;
  }

  #given(column: LoadColumn, value: unknown): CopiedValue {
    const { managed, key, insertable } = this.#rules;
    if (column === managed)
      throw this.#invalid(column.property, 'is the row version, which the load writes itself; leave it out');
    if (value === null) {
      if (key.includes(column)) throw this.#invalid(column.property, 'is null; the key must have a value');
      if (insertable && !column.nullable)
        throw this.#invalid(column.property, 'is null; the column is NOT NULL');
      return null;
    }
    try {
      const copied = copyEncoders[column.type](value);
      if (column.validate) validateDocument(column.validate, value, copied);
      return copied;
    } catch (error) {
      if (error instanceof ConversionError || error instanceof InvalidJsonError)
        throw this.#invalid(column.property, error.message, { cause: error });
      throw error;
    }
  }

  #missing(column: LoadColumn): CopiedValue {
    const { insertable, key } = this.#rules;
    if (!insertable) {
      if (key.includes(column)) throw this.#invalid(column.property, 'is missing; the key must have a value');
      return null;
    }
    if (column.defaultValue) return column.defaultValue();
    if (column.nullable && !key.includes(column)) return null;
    throw this.#invalid(column.property, 'is missing and has no default');
  }

  #numberOf(shape: string): number {
    const known = this.#shapes.get(shape);
    if (known !== undefined) return known;
    this.#shapes.set(shape, this.#shapes.size);
    return this.#shapes.size - 1;
  }

  #unknown(): string {
    return `is not a property of ${this.#target.entity}; it has ${[...this.#known].join(', ')}`;
  }

  #invalid(property: string | null, what: string, options?: ErrorOptions): InvalidRowError {
    return new InvalidRowError({ row: this.count, property }, what, options);
  }
}

function isRecord(row: unknown): row is Readonly<Record<string, unknown>> {
  return typeof row === 'object' && row !== null && !Array.isArray(row);
}
