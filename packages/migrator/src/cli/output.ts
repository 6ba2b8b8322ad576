import { styleText } from 'node:util';
import Table from 'cli-table3';
import { InvalidArgumentError } from 'commander';
import { writeTo } from './standard-streams.ts';

/** Prints a line for people. */
export function say(line = ''): void {
  void writeTo(1, `${line}\n`);
}

/** Prints a value for programs. */
export function sayJson(value: unknown): void {
  void writeTo(1, `${JSON.stringify(value, null, 2)}\n`);
}

/** Prints a line on standard error, for people: failures, and notices that are no result. */
export function sayError(line: string): void {
  void writeTo(2, `${line}\n`);
}

/** Returns dimmed text. */
export function dim(text: string): string {
  return styleText('dim', text);
}

/** Returns what a failure of the program `name` begins with on standard error. */
export function failurePrefix(name: string): string {
  return styleText('red', `${name}:`, { stream: process.stderr });
}

/** Returns aligned columns under a heading, without borders. */
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
  const made = new Table({
    head: head.map(dim),
    chars: { ...none, ...inner },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  made.push(...rows.map((row) => [...row]));
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Parses a whole number from 1. */
export function wholeNumber(given: string): number {
  const number = Number(given);
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError('Expected a whole number, at least 1.');
  return number;
}
