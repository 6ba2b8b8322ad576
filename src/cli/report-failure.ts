import { isNativeError } from 'node:util/types';
import { CommanderError } from 'commander';
import { toDataError } from '../database/translate-error.ts';
import { SettingsError, StatementError } from '../errors.ts';
import { MigratorError } from '../migrator/index.ts';
import { failurePrefix } from './output.ts';
import { UsageError } from './usage-error.ts';

/** Says on stderr why a command failed, a line for each reason, and gives the exit code: 1 failed, 2 wrong usage, 4 the lock is held by another. */
export function reportFailure(thrown: unknown): number {
  // Commander has said all there is to say; help and version are no failures.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  const error = toDataError(thrown);
  console.error(`${failurePrefix()} ${messageOf(error)}`);
  if (error instanceof MigratorError && error.code === 'lock_held') return 4;
  return error instanceof UsageError ? 2 : 1;
}

function messageOf(error: unknown): string {
  if (!isNativeError(error)) return String(error);
  // Each line of theirs is a finding, in our own words.
  if (error instanceof MigratorError || error instanceof SettingsError) return error.message;
  return `${firstLine(error.message)}${whatIsWrong(error)}`;
}

// Whoever wrote a migration needs PostgreSQL's own words. Of a statement that could not begin, they know no row.
function whatIsWrong(error: Error): string {
  return error instanceof StatementError && isNativeError(error.cause)
    ? `: ${firstLine(error.cause.message)}`
    : '';
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}
