import { MigratorError } from '../session/errors.ts';
import { InterruptedError } from './interrupted-error.ts';
import { failurePrefix, printError } from './output.ts';
import { flushOutput } from './standard-streams.ts';
import { terminationCode } from './termination.ts';
import { UsageError } from './usage-error.ts';

/**
 * Returns the exit code of a command that threw: 1 failed, 2 wrong usage, 4 another runner holds the lease, 130 interrupted at a prompt, and
 * that of a signal that stopped it.
 */
export function exitCodeOf(error: unknown): number {
  if (error instanceof MigratorError && error.code === 'lock_held') return 4;
  if (error instanceof MigratorError && error.code === 'interrupted') return terminationCode() ?? 1;
  if (error instanceof InterruptedError) return 130;
  return error instanceof UsageError ? 2 : 1;
}

/**
 * Waits until everything is written, and returns the exit code: 5 if part of it could not be written, unless the command failed anyway.
 * Prints no message for a reader that closed its pipe, as `head` does. `name` is the program's.
 */
export async function reportLostOutput(
  name: string,
  exitCode: typeof process.exitCode,
): Promise<typeof process.exitCode> {
  const lost = await flushOutput();
  for (const { readerLeft, message } of lost)
    if (!readerLeft) printError(`${failurePrefix(name)} ${message}`);
  await flushOutput();
  // 3 is a result, which the printed text explains; other codes are kept.
  return lost.length > 0 && (exitCode === undefined || exitCode === 0 || exitCode === 3) ? 5 : exitCode;
}
