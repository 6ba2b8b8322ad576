import type { SingleBar } from 'cli-progress';
import { progressBar } from './progress-bar.ts';

/** Shows the progress of a load on a terminal. */
export class LoadProgress {
  readonly #bar: SingleBar;
  readonly #begun = performance.now();
  #bytes = 0;
  #rows = 0;

  /** `size` is the number of bytes to read; null when unknown. */
  constructor(size: number | null) {
    const figures = '{rows} rows | {rate} rows/s';
    this.#bar = progressBar(
      size === null ? figures : `[{bar}] {percentage}% | ${figures} | ETA {eta_formatted}`,
      55,
    );
    this.#bar.start(size ?? 0, 0, this.#figures());
  }

  /** Adds bytes that were read. */
  read(bytes: number): void {
    this.#bytes += bytes;
    this.#bar.update(this.#bytes, this.#figures());
  }

  /** Yields the rows, and counts them. */
  async *count(rows: AsyncIterable<object>): AsyncGenerator<object> {
    for await (const row of rows) {
      this.#rows += 1;
      yield row;
    }
  }

  /** Removes the bar. */
  stop(): void {
    this.#bar.stop();
  }

  #figures(): { rows: string; rate: string } {
    const seconds = (performance.now() - this.#begun) / 1_000;
    return {
      rows: this.#rows.toLocaleString('en'),
      rate: Math.round(this.#rows / Math.max(seconds, 0.001)).toLocaleString('en'),
    };
  }
}
