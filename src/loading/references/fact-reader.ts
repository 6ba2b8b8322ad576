import { BinaryRows, type CopiedValue } from '../../postgres/copy/binary-rows.ts';
import { InvalidJsonError, InvalidRowError } from '../../errors.ts';
import { ConversionError } from '../load/conversion-error.ts';
import type { StagedColumn } from './staged-columns.ts';

/** Encodes facts for a binary COPY; counts them, and records which of the required properties they have. */
export class FactReader {
  /** The number of facts read so far. */
  count = 0;
  /** The properties that no fact has had so far. */
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
   * Yields the facts in chunks of a binary COPY: the number of each fact, then a value for each column.
   *
   * @throws InvalidRowError for the first fact that can't be read.
   */
  async *encode(facts: Iterable<unknown> | AsyncIterable<unknown>): AsyncGenerator<Buffer> {
    const gathered = new BinaryRows(['integer', ...this.#columns.map(({ type }) => type)]);
    for await (const fact of facts) {
      this.count += 1;
      if (!isFact(fact))
        throw new InvalidRowError({ row: this.count, property: null }, 'is not an object of properties');
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
      if (error instanceof ConversionError || error instanceof InvalidJsonError) {
        throw new InvalidRowError({ row: this.count, property }, error.message, { cause: error });
      }
      throw error;
    }
  }
}

function isFact(fact: unknown): fact is Readonly<Record<string, unknown>> {
  return typeof fact === 'object' && fact !== null && !Array.isArray(fact);
}
