import { isatty } from 'node:tty';
import { dim, say } from './output.ts';
import { writeTo } from './standard-streams.ts';

// How long a note replaces the current text: blockers are reported every half second while they block.
const noteTime = 1_500;
// How often a count is printed to a log.
const countTime = 10_000;

/**
 * Shows the current work on the last line of a terminal, with its duration. Elsewhere prints a line for each wait, once.
 */
export class CurrentLine {
  #text = '';
  #begun = 0;
  #note = '';
  #noted = -Infinity;
  #counted = -Infinity;
  #clock: NodeJS.Timeout | undefined;
  readonly #said = new Set<string>();

  /** Shows new work; prints it elsewhere too if it is a `wait`. */
  begin(text: string, wait?: 'waiting'): void {
    this.#text = text;
    this.#begun = this.#counted = Date.now();
    this.#noted = -Infinity;
    if (onTerminal()) this.#run();
    else if (wait) this.#sayOnce(text);
  }

  /** Shows why the work waits, until it is not repeated. */
  note(text: string): void {
    this.#note = text;
    this.#noted = Date.now();
    if (onTerminal()) this.#run();
    else this.#sayOnce(text);
  }

  /** Shows how far the work is. */
  count(text: string): void {
    this.#text = text;
    if (onTerminal()) return this.#run();
    if (Date.now() - this.#counted < countTime) return;
    this.#counted = Date.now();
    say(`  ${text}`);
  }

  clear(): void {
    clearInterval(this.#clock);
    this.#clock = undefined;
    this.#said.clear();
    if (onTerminal()) void writeTo(1, '\r\u001B[K');
  }

  #sayOnce(text: string): void {
    if (this.#said.has(text)) return;
    this.#said.add(text);
    say(`  ${text}`);
  }

  #run(): void {
    this.#clock ??= setInterval(() => this.#draw(), 200).unref();
    this.#draw();
  }

  #draw(): void {
    const seconds = `${((Date.now() - this.#begun) / 1000).toFixed(1)} s `;
    const text = Date.now() - this.#noted < noteTime ? this.#note : this.#text;
    // Some terminals report no width.
    const width = (process.stdout.columns || 80) - seconds.length - 3;
    void writeTo(1, `\r\u001B[K  ${dim(seconds)}${text.slice(0, Math.max(width, 0))}`);
  }
}

// A terminal that can't erase a line counts as none.
function onTerminal(): boolean {
  return isatty(1) && process.env['TERM'] !== 'dumb';
}
