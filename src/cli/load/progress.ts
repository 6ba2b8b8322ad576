import type { SingleBar } from 'cli-progress';
import { progressBar } from '../progress-bar.ts';

/** Shows on a terminal how far a load has come, and nothing elsewhere. */
export class LoadProgress {
  readonly #bar: SingleBar;
  readonly #begun = performance.now();
  #bytes = 0;
  #rows = 0;

  /** `size` is how many bytes there are to read; null when that is not known. */
  constructor(size: number | null) {
    const figures = '{rows} rows | {rate} rows/s';
    this.#bar = progressBar(
      size === null ? figures : `[{bar}] {percentage}% | ${figures} | ETA {eta_formatted}`,
      55,
    );
    this.#bar.start(size ?? 0, 0, this.#figures());
  }

  read(bytes: number): void {
    this.#bytes += bytes;
    this.#bar.update(this.#bytes, this.#figures());
  }

  /** Counts rows as they pass. */
  async *counted(rows: AsyncIterable<object>): AsyncGenerator<object> {
    for await (const row of rows) {
      this.#rows += 1;
      yield row;
    }
  }

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
