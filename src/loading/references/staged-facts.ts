import { BinaryRows, type BinaryType, type CopiedValue } from '../../postgres/copy/binary-rows.ts';
import { InvalidJsonError, InvalidRowError } from '../../errors.ts';
import { UnfitValue } from '../unfit-value.ts';

/** A column of the table that the facts are copied into. */
export interface StagedColumn {
  /** Its name there. */
  readonly name: string;
  readonly type: BinaryType;
  /** The property of the facts that it holds; null when it holds what they don't have. */
  readonly property: string | null;
  /** What is copied of a value, which is null or undefined where a fact has none. Throws `UnfitValue` or `InvalidJsonError`. */
  readonly read: (value: unknown) => CopiedValue;
}

/** The columns that a backfill needs of the facts. What is asked for twice is there once. */
export class StagedColumns {
  readonly #columns = new Map<string, StagedColumn>();

  get all(): readonly StagedColumn[] {
    return [...this.#columns.values()];
  }

  /** The column for `property`, read in the way that `how` names. */
  add(
    property: string | null,
    type: BinaryType,
    how: string,
    read: (value: unknown) => CopiedValue,
  ): StagedColumn {
    const key = JSON.stringify([property, type, how]);
    const known = this.#columns.get(key);
    if (known) return known;
    const made = { name: `c${this.#columns.size + 1}`, type, property, read };
    this.#columns.set(key, made);
    return made;
  }
}

/** Reads facts, and keeps in mind how many there were and which of the properties that are asked for they had. */
export class FactReader {
  /** How many there were so far. */
  count = 0;
  /** Properties that no fact had so far. */
  readonly unseen: Set<string>;
  readonly #columns: readonly StagedColumn[];
  readonly #onValues: (values: readonly CopiedValue[]) => void;

  constructor(
    columns: readonly StagedColumn[],
    onValues: (values: readonly CopiedValue[]) => void = () => {},
  ) {
    this.#columns = columns;
    this.#onValues = onValues;
    this.unseen = new Set(columns.flatMap(({ property }) => property ?? []));
  }

  /**
   * The facts as a binary COPY takes them: each one's number, then a value for each column.
   *
   * @throws InvalidRowError
   */
  async *pieces(facts: Iterable<unknown> | AsyncIterable<unknown>): AsyncGenerator<Buffer> {
    const gathered = new BinaryRows(['integer', ...this.#columns.map(({ type }) => type)]);
    for await (const fact of facts) {
      this.count += 1;
      if (!isFact(fact))
        throw new InvalidRowError({ row: this.count, property: null }, 'is no object of properties');
      const values = this.#columns.map((column) => this.#value(fact, column));
      this.#onValues(values);
      const full = gathered.add([this.count, ...values]);
      if (full) yield full;
    }
    yield gathered.finish();
  }

  #value(fact: Readonly<Record<string, unknown>>, { property, read }: StagedColumn): CopiedValue {
    if (property === null) return read(undefined);
    const there = Object.hasOwn(fact, property);
    if (there) this.unseen.delete(property);
    try {
      return read(there ? fact[property] : undefined);
    } catch (error) {
      if (error instanceof UnfitValue || error instanceof InvalidJsonError) {
        throw new InvalidRowError({ row: this.count, property }, error.message, { cause: error });
      }
      throw error;
    }
  }
}

function isFact(fact: unknown): fact is Readonly<Record<string, unknown>> {
  return typeof fact === 'object' && fact !== null && !Array.isArray(fact);
}
