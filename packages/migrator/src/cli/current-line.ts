import { isatty } from 'node:tty';
import { dim, say } from './output.ts';
import { writeTo } from './standard-streams.ts';

// How long a note covers what it is about: who is in the way is told every half second for as long as it is true.
const noteTime = 1_500;
// How often a count is worth a line of a log.
const countTime = 10_000;

/**
 * What is under way: the last line of a terminal, with the time that it has taken. Elsewhere, where lines stay, only what explains a
 * wait, once each.
 */
export class CurrentLine {
  #text = '';
  #begun = 0;
  #note = '';
  #noted = -Infinity;
  #counted = -Infinity;
  #clock: NodeJS.Timeout | undefined;
  readonly #said = new Set<string>();

  /** Something else is under way; a line elsewhere too if it is a `wait`. */
  begin(text: string, wait?: 'waiting'): void {
    this.#text = text;
    this.#begun = this.#counted = Date.now();
    this.#noted = -Infinity;
    if (onTerminal()) this.#run();
    else if (wait) this.#sayOnce(text);
  }

  /** What keeps it from going on, for as long as that is said again. */
  note(text: string): void {
    this.#note = text;
    this.#noted = Date.now();
    if (onTerminal()) this.#run();
    else this.#sayOnce(text);
  }

  /** How far it is. */
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
    // Some terminals don't know how wide they are.
    const width = (process.stdout.columns || 80) - seconds.length - 3;
    void writeTo(1, `\r\u001B[K  ${dim(seconds)}${text.slice(0, Math.max(width, 0))}`);
  }
}

// One that can't take a line back is as good as none.
function onTerminal(): boolean {
  return isatty(1) && process.env['TERM'] !== 'dumb';
}
