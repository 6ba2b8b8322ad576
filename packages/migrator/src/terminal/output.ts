import { styleText } from 'node:util';
import Table from 'cli-table3';
import { writeTo } from './standard-streams.ts';

/** Prints a line on standard output. */
export function print(line = ''): void {
  void writeTo(1, `${line}\n`);
}

/** Prints a value as JSON on standard output. */
export function printJson(value: unknown): void {
  void writeTo(1, `${JSON.stringify(value, null, 2)}\n`);
}

/** Prints a line on standard error: a failure or a notice. */
export function printError(line: string): void {
  void writeTo(2, `${line}\n`);
}

/** Returns the text in a dim style. */
export function dim(text: string): string {
  return styleText('dim', text);
}

/** Returns the prefix of failures on standard error. */
export function failurePrefix(name: string): string {
  return styleText('red', `${name}:`, { stream: process.stderr });
}

/** Returns a time as text to the minute, in UTC. */
export function minuteOf(time: Date): string {
  return time.toISOString().slice(0, 16).replace('T', ' ');
}

/** Formats rows as aligned columns with a heading, without borders. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const none = Object.fromEntries(
    ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'].map(
      (side) => [side, ''],
    ),
  );
  const inner = {
    left: '',
    'left-mid': '',
    mid: '',
    'mid-mid': '',
    right: '',
    'right-mid': '',
    middle: '  ',
  };
  const columns = new Table({
    head: head.map(dim),
    chars: { ...none, ...inner },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  columns.push(...rows.map((row) => [...row]));
  return columns
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
