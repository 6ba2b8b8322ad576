import { isNativeError } from 'node:util/types';
import { CommanderError } from 'commander';
import { toDataError } from '../postgres/errors/translate-error.ts';
import { EmbeddedPostgresError } from '../embedded/index.ts';
import { SettingsError, StatementError } from '../errors.ts';
import { MigratorError } from 'mikro-orm-safe-migrations';
import { exitCodeOf, failurePrefix, sayError } from 'mikro-orm-safe-migrations/cli';
import { inCallersTerms } from './invocation.ts';

/**
 * Prints on standard error why a command failed, a line for each reason, and returns the exit code: 1 failed, 2 wrong usage, 4 the lock
 * is held by another, 130 interrupted at a question.
 */
export function reportFailure(thrown: unknown): number {
  // Commander has said all there is to say; help and version are no failures.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  const error = toDataError(thrown);
  sayError(`${failurePrefix('synthdb')} ${inCallersTerms(messageOf(error))}`);
  return exitCodeOf(error);
}

function messageOf(error: unknown): string {
  if (!isNativeError(error)) return String(error);
  // Each line of theirs is a finding, in our own words.
  if (
    error instanceof MigratorError ||
    error instanceof SettingsError ||
    error instanceof EmbeddedPostgresError
  )
    return error.message;
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
