import { isNativeError } from 'node:util/types';
import { CommanderError } from 'commander';
import { toDataError } from '../postgres/errors/translate-error.ts';
import { EmbeddedPostgresError } from '../embedded/index.ts';
import { SettingsError, StatementError } from '../errors.ts';
import { MigratorError } from 'mikro-orm-safe-migrations';
import { InterruptedError } from './interrupted-error.ts';
import { inCallersTerms } from './invocation.ts';
import { failurePrefix, sayError } from './output.ts';
import { lostOutput } from './standard-streams.ts';
import { UsageError } from './usage-error.ts';

/**
 * Prints on standard error why a command failed, a line for each reason, and returns the exit code: 1 failed, 2 wrong usage, 4 the lock
 * is held by another, 130 interrupted at a question.
 */
export function reportFailure(thrown: unknown): number {
  // Commander has said all there is to say; help and version are no failures.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  const error = toDataError(thrown);
  sayError(`${failurePrefix()} ${inCallersTerms(messageOf(error))}`);
  if (error instanceof MigratorError && error.code === 'lock_held') return 4;
  if (error instanceof InterruptedError) return 130;
  return error instanceof UsageError ? 2 : 1;
}

/**
 * Waits until everything is written, and returns the exit code: 5 when part of it could not be, unless the command failed anyway. A
 * reader that closes its pipe, as `head` does, is not worth a message.
 */
export async function reportLostOutput(exitCode: typeof process.exitCode): Promise<typeof process.exitCode> {
  const lost = await lostOutput();
  for (const { readerLeft, message } of lost) if (!readerLeft) sayError(`${failurePrefix()} ${message}`);
  await lostOutput();
  // What was found is found out from the exit code too, but only by those who read what was printed.
  return lost.length > 0 && (exitCode === undefined || exitCode === 0 || exitCode === 3) ? 5 : exitCode;
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
