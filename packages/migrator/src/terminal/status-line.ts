import { isatty } from 'node:tty';
import { dim, print } from './output.ts';
import { writeTo } from './standard-streams.ts';

// How long a reason replaces the current text, in milliseconds. Blockers are reported every half second.
const reasonDuration = 1_500;
// The interval of progress lines without a terminal, in milliseconds.
const progressInterval = 10_000;

/**
 * Shows the current activity and its duration in the last line of a terminal. Without a terminal it prints each reason of a wait once, and
 * progress every 10 s.
 */
export class StatusLine {
  #text = '';
  #startedAt = 0;
  #reason = '';
  #reasonAt = -Infinity;
  #progressAt = -Infinity;
  #clock: NodeJS.Timeout | undefined;
  readonly #printed = new Set<string>();

  /** Begins a new activity. Without a terminal, it is printed only with `wait`. */
  begin(text: string, wait?: 'waiting'): void {
    this.#text = text;
    this.#startedAt = this.#progressAt = Date.now();
    this.#reasonAt = -Infinity;
    if (onTerminal()) this.#run();
    else if (wait) this.#printOnce(text);
  }

  /** Shows why the activity waits, for 1.5 s after the last call. */
  showReason(text: string): void {
    this.#reason = text;
    this.#reasonAt = Date.now();
    if (onTerminal()) this.#run();
    else this.#printOnce(text);
  }

  /** Shows the progress of the activity. */
  showProgress(text: string): void {
    this.#text = text;
    if (onTerminal()) return this.#run();
    if (Date.now() - this.#progressAt < progressInterval) return;
    this.#progressAt = Date.now();
    print(`  ${text}`);
  }

  /** Removes the line. */
  clear(): void {
    clearInterval(this.#clock);
    this.#clock = undefined;
    this.#printed.clear();
    if (onTerminal()) void writeTo(1, '\r\u001B[K');
  }

  #printOnce(text: string): void {
    if (this.#printed.has(text)) return;
    this.#printed.add(text);
    print(`  ${text}`);
  }

  #run(): void {
    this.#clock ??= setInterval(() => this.#draw(), 200).unref();
    this.#draw();
  }

  #draw(): void {
    const seconds = `${((Date.now() - this.#startedAt) / 1000).toFixed(1)} s `;
    const text = Date.now() - this.#reasonAt < reasonDuration ? this.#reason : this.#text;
    // Some terminals do not report their width.
    const width = (process.stdout.columns || 80) - seconds.length - 3;
    void writeTo(1, `\r\u001B[K  ${dim(seconds)}${text.slice(0, Math.max(width, 0))}`);
  }
}

// A dumb terminal can't rewrite a line.
function onTerminal(): boolean {
  return isatty(1) && process.env['TERM'] !== 'dumb';
}
