import { print } from 'mikro-orm-safe-migrations/cli';
import type { SingleBar } from 'cli-progress';
import type { TableProgress } from '../../legacy-import/import-legacy.ts';
import type { TableResult } from '../../legacy-import/table-result.ts';
import { progressBar } from './progress-bar.ts';

/** Shows a progress bar for the current table on a terminal, and a line for each finished table. */
export class ImportProgress {
  readonly #quiet: boolean;
  readonly #dryRun: boolean;
  #bar: SingleBar | undefined;
  #current = '';
  #begun = 0;

  constructor(quiet: boolean, dryRun: boolean) {
    this.#quiet = quiet;
    this.#dryRun = dryRun;
  }

  /** Shows the progress of a table. */
  show({ phase, table, done, total }: TableProgress): void {
    const current = `${phase} ${table}`;
    if (current !== this.#current) {
      this.stop();
      this.#current = current;
      this.#begun = performance.now();
      if (!this.#quiet && process.stderr.isTTY && total > 0) this.#bar = startBar(current, phase, total);
      return;
    }
    const seconds = (performance.now() - this.#begun) / 1_000;
    this.#bar?.update(done, { speed: Math.round(done / Math.max(seconds, 0.001)).toLocaleString('en') });
  }

  /** Prints the result of a table. */
  finishTable({ table, rows, written, found, rejected }: TableResult): void {
    const seconds = (performance.now() - this.#begun) / 1_000;
    this.stop();
    if (this.#quiet || rows === 0) return;
    const parts = [
      `${written} ${this.#dryRun ? 'would be written' : 'written'}`,
      ...(found > 0 ? [`${found} exist already`] : []),
      ...(rejected > 0 ? [`${rejected} rejected`] : []),
    ];
    print(`  ${table}: ${parts.join(', ')} (${Math.round(rows / Math.max(seconds, 0.001))} rows/s)`);
  }

  /** Removes the bar. */
  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
    this.#current = '';
  }
}

function startBar(what: string, phase: TableProgress['phase'], total: number): SingleBar {
  // PostgreSQL reports no progress of counts and digests.
  const bar = progressBar(
    phase === 'verifying'
      ? '{what}'
      : '{what} [{bar}] {percentage}% of {total} | {speed} rows/s | ETA {eta_formatted}',
    75,
  );
  bar.start(total, 0, { what, speed: '?' });
  return bar;
}
