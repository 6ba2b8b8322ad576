import type { SingleBar } from 'cli-progress';
import { say } from 'mikro-orm-safe-migrations/cli';
import type { Progress } from '../../legacy-import/import-legacy.ts';
import type { TableResult } from '../../legacy-import/table-result.ts';
import { progressBar } from '../progress-bar.ts';

/** A bar for the table that is under way on a terminal; elsewhere a line for each table that is done. */
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

  show({ phase, table, done, total }: Progress): void {
    const current = `${phase} ${table}`;
    if (current !== this.#current) {
      this.stop();
      this.#current = current;
      this.#begun = performance.now();
      if (!this.#quiet && process.stderr.isTTY && total > 0) this.#bar = started(current, phase, total);
      return;
    }
    const seconds = (performance.now() - this.#begun) / 1_000;
    this.#bar?.update(done, { speed: Math.round(done / Math.max(seconds, 0.001)).toLocaleString('en') });
  }

  tableDone({ table, rows, written, found, rejected }: TableResult): void {
    const seconds = (performance.now() - this.#begun) / 1_000;
    this.stop();
    if (this.#quiet || rows === 0) return;
    const parts = [
      `${written} ${this.#dryRun ? 'would be written' : 'written'}`,
      ...(found > 0 ? [`${found} there already`] : []),
      ...(rejected > 0 ? [`${rejected} rejected`] : []),
    ];
    say(`  ${table}: ${parts.join(', ')} (${Math.round(rows / Math.max(seconds, 0.001))} rows/s)`);
  }

  /** Takes the bar away. */
  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
    this.#current = '';
  }
}

function started(what: string, phase: Progress['phase'], total: number): SingleBar {
  // How far PostgreSQL has come with counts and digests, it does not tell.
  const bar = progressBar(
    phase === 'verifying'
      ? '{what}'
      : '{what} [{bar}] {percentage}% of {total} | {speed} rows/s | ETA {eta_formatted}',
    75,
  );
  bar.start(total, 0, { what, speed: '?' });
  return bar;
}
