import type { EntityManager } from '@mikro-orm/postgresql';
import type { CompiledQuery } from 'kysely';
import type { Tables } from '../../entities/tables.ts';
import type { Row } from './row.ts';

/**
 * The rows of a list, read while `for await` consumes them: memory does not grow with their number. They are one snapshot, that of the first
 * row. The statement begins with the first row, and flushes before. Leaving the loop ends it, and so does `await using`, and the end of the
 * unit of work. A stream that was ended before its last row throws: it is never short without an error.
 *
 * In a transaction, the connection is the stream's until its end: any other statement is `ConcurrentUseError`.
 */
export interface RowStream<Shown> extends AsyncIterableIterator<Shown, undefined>, AsyncDisposable {
  return(): Promise<IteratorResult<Shown, undefined>>;
}

interface Source {
  readonly em: EntityManager;
  readonly query: () => Promise<CompiledQuery<Row>>;
  readonly chunkSize: number;
}

/** Returns the rows of a statement, each as `show` returns it. A chunk of them is in memory at a time. */
export function rowStream<Shown>(source: Source, show: (row: Row) => Shown): RowStream<Shown> {
  return new ChunkedRows(source, show);
}

type Chunks = AsyncIterator<{ readonly rows: readonly Row[] }>;

// Not a generator: one that yields each row costs several times as much.
class ChunkedRows<Shown> implements RowStream<Shown> {
  readonly #source: Source;
  readonly #show: (row: Row) => Shown;
  #chunks: Chunks | undefined;
  #rows: readonly Row[] = [];
  #at = 0;
  #isDone = false;
  #reading: Promise<void> | undefined;

  constructor(source: Source, show: (row: Row) => Shown) {
    this.#source = source;
    this.#show = show;
  }

  /** Returns the next row. Calls at the same time get a row each. */
  next(): Promise<IteratorResult<Shown, undefined>> {
    const row = this.#rows[this.#at];
    if (row !== undefined) {
      this.#at++;
      return Promise.resolve({ done: false, value: this.#show(row) });
    }
    if (this.#isDone) return Promise.resolve({ done: true, value: undefined });
    this.#reading ??= this.#read();
    return this.#reading.then(() => this.next());
  }

  /** Returns the end of the stream, when its statement is closed. Rows that were read ahead are dropped. */
  async return(): Promise<IteratorResult<Shown, undefined>> {
    this.#isDone = true;
    this.#rows = [];
    await this.#chunks?.return?.();
    return { done: true, value: undefined };
  }

  /** Returns when the statement is closed; for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Returns itself, for `for await`. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  async #read(): Promise<void> {
    try {
      this.#chunks ??= await this.#open();
      const chunk = await this.#chunks.next();
      // It may have been ended meanwhile.
      if (this.#isDone) await this.#chunks.return?.();
      else this.#isDone = chunk.done === true;
      this.#rows = this.#isDone || chunk.done === true ? [] : chunk.value.rows;
      this.#at = 0;
    } catch (error) {
      this.#isDone = true;
      throw error;
    } finally {
      this.#reading = undefined;
    }
  }

  async #open(): Promise<Chunks> {
    const { em, query, chunkSize } = this.#source;
    await em.flush();
    const executor = em.getKysely<Tables>().getExecutor();
    return executor.stream<Row>(await query(), chunkSize)[Symbol.asyncIterator]();
  }
}
