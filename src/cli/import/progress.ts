import { Presets, SingleBar } from 'cli-progress';
import type { Phase, Progress } from '../../legacy-import/import-legacy.ts';
import type { TableResult } from '../../legacy-import/table-result.ts';
import { say } from '../output.ts';

const words: Record<Phase, string> = {
  comparing: 'comparing',
  importing: 'importing',
  verifying: 'verifying',
};

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
    const current = `${words[phase]} ${table}`;
    if (current !== this.#current) {
      this.stop();
      this.#current = current;
      this.#begun = performance.now();
      if (this.#quiet || !process.stderr.isTTY || total === 0) return;
      this.#bar = new SingleBar(
        {
          format: '{what} [{bar}] {percentage}% | {value}/{total} | {speed} rows/s | ETA {eta_formatted}',
          clearOnComplete: true,
          hideCursor: true,
        },
        Presets.shades_classic,
      );
      this.#bar.start(total, done, { what: current, speed: '' });
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
