#!/usr/bin/env node
import { isNativeError } from 'node:util/types';
import { CommanderError } from 'commander';
import { MigratorError } from '../session/errors.ts';
import { exitCodeOf, reportLostOutput } from '../terminal/failure.ts';
import { failurePrefix, printError } from '../terminal/output.ts';
import { exitOnTermination } from '../terminal/termination.ts';
import { programName, safeMigrations } from './safe-migrations.ts';

exitOnTermination();
try {
  await safeMigrations().parseAsync();
} catch (error) {
  process.exitCode = report(error);
}
process.exitCode = await reportLostOutput(programName, process.exitCode);

/** Prints why a command failed, unless commander did, and returns the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  printError(`${failurePrefix(programName)} ${messageOf(error)}`);
  return exitCodeOf(error);
}

function messageOf(error: unknown): string {
  if (!isNativeError(error)) return String(error);
  // Each line of the migrator's messages is a finding. Other messages may show rows after their first line.
  return error instanceof MigratorError ? error.message : (error.message.split('\n', 1)[0] ?? '');
}
