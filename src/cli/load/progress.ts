import { SingleBar } from 'cli-progress';

/** Shows on a terminal how far a load has come, and nothing elsewhere. */
export class LoadProgress {
  readonly #bar: SingleBar;
  readonly #begun = performance.now();
  #bytes = 0;
  #rows = 0;

  /** `size` is how many bytes there are to read; null when that is not known. */
  constructor(size: number | null) {
    const format = '{rows} rows, {rate} rows/s';
    this.#bar = new SingleBar({
      format: size === null ? `  ${format}` : `  {bar} {percentage} %, ${format}, {eta_formatted} left`,
      hideCursor: true,
      clearOnComplete: true,
    });
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
