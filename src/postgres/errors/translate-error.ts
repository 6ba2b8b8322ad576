import { isNativeError } from 'node:util/types';
import {
  CursorError,
  DriverException,
  MetadataError,
  NotFoundError as NotFoundByOrm,
  OptimisticLockError,
  TransactionStateError,
  ValidationError,
} from '@mikro-orm/core';
import { DatabaseError } from 'pg';
import {
  ConnectionError,
  ContentionError,
  DataError,
  InvalidPageError,
  InvalidValueError,
  NotFoundError,
  PoolTimeoutError,
  StatementError,
} from '../../errors.ts';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import { connectionFailure, isPoolTimeout, connectionFailureReason } from './connection-failures.ts';
import { errorClassFor } from './sql-states.ts';

/**
 * Returns the `DataError` for an error of the ORM or the driver. Returns other errors unchanged, also when an error of theirs is the cause.
 * The driver's text, which may have row data, is in `cause` only. `tableNames` maps temporary tables to the tables to report instead.
 */
export function toDataError(
  error: unknown,
  tableNames: Readonly<Partial<Record<string, string>>> = {},
): unknown {
  if (error instanceof DataError || !isNativeError(error)) return error;
  if (isPoolTimeout(error)) {
    return new PoolTimeoutError('no connection of the pool was free in time', { cause: error });
  }
  if (error instanceof ValidationError) return translateOrmError(error);
  const fromDriver = error instanceof DriverException || error instanceof DatabaseError;
  // The driver throws errors of system calls unchanged; clients of other systems, which `work` may use as well, wrap them.
  const isOurs = fromDriver || 'syscall' in firstOf(error) || 'whileConnecting' in error;
  const code = isOurs ? ownCodeOf(error) : '';
  const failure = connectionFailure(firstOf(error), code);
  if (failure) {
    const [Failed, message] = failure;
    return new Failed(message, { cause: error });
  }
  if (!fromDriver) return error;
  const [Refused, what] = errorClassFor(code);
  // PostgreSQL's fields, which the driver and the ORM copy to their errors.
  const {
    table,
    constraint,
    column,
    where,
  }: Error & Partial<Record<'table' | 'constraint' | 'column' | 'where', string | undefined>> = error;
  const message = code === '' ? what : `${what} (${code})`;
  const at = { table: tableNames[table ?? ''] ?? table, constraint, column, row: copiedRow(where) };
  return new Refused(`${message}${deniedObject(error)}`, at, { cause: error });
}

// The ORM's messages may have row data.
function translateOrmError(cause: ValidationError): DataError {
  if (cause instanceof OptimisticLockError)
    return new ContentionError('another writer changed the row since it was read', {}, { cause });
  if (cause instanceof NotFoundByOrm) return new NotFoundError('row', undefined, { cause });
  if (cause instanceof CursorError)
    return new InvalidPageError('the cursor belongs to another query', undefined, { cause });
  if (cause instanceof MetadataError || cause instanceof TransactionStateError)
    return new StatementError(`the ORM refused the call (${cause.name}); see the cause`, {}, { cause });
  return new InvalidValueError(
    `the ORM refused an entity or a value (${cause.name}); see the cause`,
    {},
    { cause },
  );
}

/** Returns the error of a failed connection to `target`, with a message of one line without secrets. */
export function toConnectionError(cause: unknown, target: DatabaseTarget): ConnectionError {
  const reason = connectionFailureReason(cause, sqlStateOf(cause));
  return new ConnectionError(`Database connection failed: ${target.label}: ${reason}`, { cause });
}

/** Returns the SQLSTATE, or the operating system's code, of an error or of its cause; empty when neither has one. */
export function sqlStateOf(error: unknown): string {
  if (!isNativeError(error)) return '';
  const code = ownCodeOf(error);
  return code === '' && error.cause !== undefined ? sqlStateOf(error.cause) : code;
}

function ownCodeOf(error: Error): string {
  const first = firstOf(error);
  // Our errors have our codes; PostgreSQL's code is in their cause.
  if (first instanceof DataError || !('code' in first) || typeof first.code !== 'string') return '';
  return first.code;
}

// For a host with several addresses, there is one error for each.
function firstOf(error: Error): Error {
  if (!('errors' in error) || !Array.isArray(error.errors)) return error;
  const [first]: unknown[] = error.errors;
  return isNativeError(first) ? first : error;
}

// For a COPY, PostgreSQL reports the row in the context.
function copiedRow(where = ''): number | undefined {
  const [, line] = /^COPY .*, line (\d+)/m.exec(where) ?? [];
  return line === undefined ? undefined : Number(line);
}

// PostgreSQL has no field for the object of a denied privilege, only its kind and name in the message.
function deniedObject({ message }: Error): string {
  const [, kind, name] = /^permission denied for ([a-z ]+) "?(\w+)"?$/m.exec(message) ?? [];
  if (name !== undefined) return `: ${kind} "${name}"`;
  const [, filtered] = /row-level security policy for table "(\w+)"$/m.exec(message) ?? [];
  return filtered === undefined ? '' : `: a row-level policy hides rows of table "${filtered}"`;
}
