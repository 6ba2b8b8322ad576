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

/** The width that fits every terminal. */
const width = 80;

/**
 * Formats rows as `table` does, in 80 columns: a row whose name, in column `named`, does not fit has a line for the name before it. Only
 * names of more than 80 characters are cut.
 */
export function tableOfNames(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  named: number,
): string {
  const others = head.map((title, index) =>
    index === named ? 0 : Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  const room = width - others.reduce((sum, one) => sum + one + 2, -2);
  const isLong = (row: readonly string[]): boolean => (row[named]?.length ?? 0) > room;
  const shown = rows.map((row) => (isLong(row) ? row.with(named, '') : row));
  const [heading = '', ...lines] = table(head, shown).split('\n');
  const withNames = rows.flatMap((row, index) =>
    isLong(row) ? [cut(row[named] ?? ''), lines[index] ?? ''] : [lines[index] ?? ''],
  );
  return [heading, ...withNames].join('\n');
}

function cut(text: string, room = width): string {
  return text.length > room ? `${text.slice(0, room - 1)}…` : text;
}

/** Breaks a line at spaces, so that it fits 80 columns; the lines after the first are indented. Longer words are cut. */
export function wrapLine(line: string, indent = '    '): string {
  const lines: string[] = [];
  let current = '';
  for (const whole of line.split(/(?<=\S) /)) {
    const word = cut(whole, width - indent.length);
    const longer = current === '' ? word : `${current} ${word}`;
    if (current !== '' && longer.length > width) {
      lines.push(current);
      current = `${indent}${word}`;
    } else {
      current = longer;
    }
  }
  return [...lines, current].join('\n');
}
