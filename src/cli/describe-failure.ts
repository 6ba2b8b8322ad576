import { isNativeError } from 'node:util/types';
import { MigratorError } from 'mikro-orm-safe-migrations';
import { toDataError } from '../postgres/errors/translate-error.ts';
import { SettingsError, StatementError } from '../errors.ts';

/** Returns the message of an error that a command threw, in terms of this package. It has no row data. */
export function describeFailure(thrown: unknown): string {
  const error = toDataError(thrown);
  if (!isNativeError(error)) return String(error);
  // Every line of these messages is written by us.
  if (error instanceof MigratorError || error instanceof SettingsError) return error.message;
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
