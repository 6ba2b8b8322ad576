import { exitCodeOf, failurePrefix, printError } from 'mikro-orm-safe-migrations/cli';
import { isNativeError } from 'node:util/types';
import { CommanderError } from 'commander';
import { toDataError } from '../postgres/errors/translate-error.ts';
import { EmbeddedPostgresError } from '../embedded/index.ts';
import { SettingsError, StatementError } from '../errors.ts';
import { MigratorError } from 'mikro-orm-safe-migrations';
import { toInvocationTerms } from './invocation.ts';

/**
 * Prints on standard error why a command failed, and returns the exit code: 1 failed, 2 invalid usage, 4 another runner holds the lock, 130
 * interrupted at a prompt.
 */
export function reportFailure(thrown: unknown): number {
  // Commander has printed the message. Help and version have exit code 0.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  const error = toDataError(thrown);
  printError(`${failurePrefix('synthdb')} ${toInvocationTerms(messageOf(error))}`);
  return exitCodeOf(error);
}

function messageOf(error: unknown): string {
  if (!isNativeError(error)) return String(error);
  // Every line of these messages is written by us.
  if (
    error instanceof MigratorError ||
    error instanceof SettingsError ||
    error instanceof EmbeddedPostgresError
  )
    return error.message;
  return `${firstLine(error.message)}${serverMessage(error)}`;
}

// The author of a migration needs PostgreSQL's message. The message of a statement that was not executed has no row data.
function serverMessage(error: Error): string {
  return error instanceof StatementError && isNativeError(error.cause)
    ? `: ${firstLine(error.cause.message)}`
    : '';
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}
