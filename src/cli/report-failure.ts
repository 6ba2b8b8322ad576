import { isNativeError } from 'node:util/types';
import { CommanderError } from 'commander';
import { toDataError } from '../postgres/errors/translate-error.ts';
import { EmbeddedPostgresError } from '../embedded/index.ts';
import { SettingsError, StatementError } from '../errors.ts';
import { MigratorError } from 'mikro-orm-safe-migrations';
import { InterruptedError } from './interrupted-error.ts';
import { toInvocationTerms } from './invocation.ts';
import { failurePrefix, printError } from './output.ts';
import { flushOutput } from './standard-streams.ts';
import { UsageError } from './usage-error.ts';

/**
 * Prints on standard error why a command failed, and returns the exit code: 1 failed, 2 invalid usage, 4 another runner holds the lock, 130
 * interrupted at a prompt.
 */
export function reportFailure(thrown: unknown): number {
  // Commander has printed the message. Help and version have exit code 0.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  const error = toDataError(thrown);
  printError(`${failurePrefix()} ${toInvocationTerms(messageOf(error))}`);
  if (error instanceof MigratorError && error.code === 'lock_held') return 4;
  if (error instanceof InterruptedError) return 130;
  return error instanceof UsageError ? 2 : 1;
}

/**
 * Flushes the output, and returns the exit code: 5 when part of it could not be written, unless the command failed. Prints no message for
 * a closed pipe, as with `head`.
 */
export async function reportLostOutput(exitCode: typeof process.exitCode): Promise<typeof process.exitCode> {
  const lost = await flushOutput();
  for (const { readerLeft, message } of lost) if (!readerLeft) printError(`${failurePrefix()} ${message}`);
  await flushOutput();
  // Exit code 3 refers to findings in the output, which is incomplete.
  return lost.length > 0 && (exitCode === undefined || exitCode === 0 || exitCode === 3) ? 5 : exitCode;
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
