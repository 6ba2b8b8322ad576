import type { MigrationEvent } from '../migrator/index.ts';
import { dim, say } from './output.ts';

/** Runs migrations and tells what happens: a line for each that is done, and on a terminal what is under way. */
export async function sayRun<T>(
  quiet: boolean,
  run: (onEvent: (event: MigrationEvent) => void) => Promise<T>,
): Promise<T> {
  if (quiet) return run(() => {});
  const current = new CurrentLine();
  try {
    return await run((event) => show(event, current));
  } finally {
    current.clear();
  }
}

function show(event: MigrationEvent, current: CurrentLine): void {
  switch (event.kind) {
    case 'waiting':
      current.clear();
      return say(dim(`  waiting for ${event.holder}…`));
    case 'statement':
      return current.set(`  ${event.name} ${event.number}/${event.count} ${oneLine(event.sql)}`);
    case 'blocked':
      return current.set(
        `  ${event.name} waits for ${event.by.map(({ pid, role, application }) => `${role ?? '?'} ${application ?? ''} (process ${pid})`).join(', ')}`,
      );
    case 'retrying':
      return current.set(`  ${event.name} got no lock, tries again in ${event.delay} ms`);
    case 'done':
      current.clear();
      return say(
        `  ${event.direction === 'up' ? 'applied' : 'reverted'} ${event.name} ${dim(`${event.duration} ms`)}`,
      );
    case 'started':
  }
}

function oneLine(sql: string): string {
  return sql.replaceAll(/\s+/g, ' ');
}

/** The last line of a terminal, with the time that what it says has taken; nothing elsewhere. */
class CurrentLine {
  #text = '';
  #begun = 0;
  #clock: NodeJS.Timeout | undefined;

  set(text: string): void {
    if (!process.stdout.isTTY) return;
    this.#text = text;
    this.#begun = Date.now();
    this.#clock ??= setInterval(() => this.#draw(), 200).unref();
    this.#draw();
  }

  clear(): void {
    clearInterval(this.#clock);
    this.#clock = undefined;
    if (process.stdout.isTTY) process.stdout.write('\r\u001B[K');
  }

  #draw(): void {
    const seconds = `${((Date.now() - this.#begun) / 1000).toFixed(1)} s `;
    const width = process.stdout.columns - seconds.length - 1;
    process.stdout.write(`\r\u001B[K${dim(seconds)}${this.#text.slice(0, Math.max(width, 0))}`);
  }
}
