import { exitCodeOf, failurePrefix, printError, UsageError } from 'mikro-orm-safe-migrations/cli';
import { CommanderError } from 'commander';
import { EmbeddedPostgresError } from '../embedded/index.ts';
import { SettingsError } from '../errors.ts';
import { toInvocationTerms } from './invocation.ts';

/**
 * Prints on standard error why a command failed, and returns the exit code: 1 failed, 2 invalid usage, 4 another runner holds the lock, 130
 * interrupted at a prompt.
 */
export async function reportFailure(error: unknown): Promise<number> {
  // Commander has printed the message. Help and version have exit code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  printError(`${failurePrefix('synthdb')} ${toInvocationTerms(await messageOf(error))}`);
  return exitCodeOf(error);
}

async function messageOf(error: unknown): Promise<string> {
  // These need no ORM, whose import takes most of the time of a short command.
  if (error instanceof UsageError) return error.message.split('\n', 1)[0] ?? '';
  if (error instanceof SettingsError || error instanceof EmbeddedPostgresError) return error.message;
  const { describeFailure } = await import('./describe-failure.ts');
  return describeFailure(error);
}
