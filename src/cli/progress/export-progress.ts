import type { SingleBar } from 'cli-progress';
import { createProgressBar } from './create-progress-bar.ts';

/** Shows the progress of an export on a terminal. */
export class ExportProgress {
  readonly #bar: SingleBar = createProgressBar('{entity} | {megabytes} MB', 55);
  #entity = '';
  #bytes = 0;

  constructor() {
    this.#bar.start(0, 0, this.#figures());
  }

  /** Shows the table that is exported now. */
  begin(entity: string): void {
    this.#entity = entity;
    this.#bytes = 0;
    this.#bar.update(0, this.#figures());
  }

  /** Adds bytes that were written. */
  write(bytes: number): void {
    this.#bytes += bytes;
    this.#bar.update(0, this.#figures());
  }

  /** Removes the bar. */
  stop(): void {
    this.#bar.stop();
  }

  #figures(): { readonly entity: string; readonly megabytes: string } {
    return { entity: this.#entity, megabytes: (this.#bytes / 1e6).toFixed(1) };
  }
}
