import { styleText } from 'node:util';
import { CommanderError } from 'commander';
import { toDataError } from '../database/translate-error.ts';
import { SettingsError, StatementError } from '../errors.ts';
import { MigratorError } from '../migrator/index.ts';
import { UsageError } from './usage-error.ts';

/** Says on stderr, in one line (of settings, one for each), why a command failed, and gives the exit code: 1 failed, 2 wrong usage, 4 the lock is held by another. */
export function reportFailure(thrown: unknown): number {
  // Commander has said all there is to say; help and version are no failures.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  const error = toDataError(thrown);
  const message = error instanceof Error ? whatToSay(error) : String(error);
  console.error(`${styleText('red', 'synthdb:', { stream: process.stderr })} ${message}`);
  if (error instanceof MigratorError && error.code === 'lock_held') return 4;
  return error instanceof UsageError ? 2 : 1;
}

function whatToSay(error: Error): string {
  // It lists all that is wrong, a line each, in our own words.
  return error instanceof SettingsError ? error.message : `${firstLine(error.message)}${whatIsWrong(error)}`;
}

// Whoever wrote a migration needs PostgreSQL's own words. Of a statement that could not begin, they know no row.
function whatIsWrong(error: Error): string {
  return error instanceof StatementError && error.cause instanceof Error
    ? `: ${firstLine(error.cause.message)}`
    : '';
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}
