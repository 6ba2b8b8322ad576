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
import { connectionFailure, isPoolTimeout, whyUnconnected } from './connection-failures.ts';
import { refusalOf } from './sql-states.ts';

/**
 * Returns the `DataError` for what the ORM or the driver threw. Anything else is returned as it is, also where one of their errors
 * caused it. The driver's text, which may hold a row, is in `cause` alone. `standsFor` names the tables, by name, that a temporary one
 * stood for.
 */
export function toDataError(
  error: unknown,
  standsFor: Readonly<Partial<Record<string, string>>> = {},
): unknown {
  if (error instanceof DataError || !isNativeError(error)) return error;
  if (isPoolTimeout(error)) {
    return new PoolTimeoutError('no connection of the pool was free in time', { cause: error });
  }
  if (error instanceof ValidationError) return refusedByOrm(error);
  const fromDriver = error instanceof DriverException || error instanceof DatabaseError;
  // The driver passes on what a system call met; another system's client, which the work may use as well, makes errors of it.
  const isOurs = fromDriver || 'syscall' in firstOf(error) || 'whileConnecting' in error;
  const code = isOurs ? ownCodeOf(error) : '';
  const unconnected = connectionFailure(firstOf(error), code);
  if (unconnected) {
    const [Failed, message] = unconnected;
    return new Failed(message, { cause: error });
  }
  if (!fromDriver) return error;
  const [Refused, what] = refusalOf(code);
  // PostgreSQL's own fields, which the driver, and the ORM after it, hang on their errors.
  const {
    table,
    constraint,
    column,
    where,
  }: Error & Partial<Record<'table' | 'constraint' | 'column' | 'where', string | undefined>> = error;
  const told = code === '' ? what : `${what} (${code})`;
  const at = { table: standsFor[table ?? ''] ?? table, constraint, column, row: copiedRow(where) };
  return new Refused(`${told}${deniedIn(error)}`, at, { cause: error });
}

// The ORM's texts hold values, of rows too.
function refusedByOrm(cause: ValidationError): DataError {
  if (cause instanceof OptimisticLockError)
    return new ContentionError('another writer changed the row since it was read', {}, { cause });
  if (cause instanceof NotFoundByOrm) return new NotFoundError('row', undefined, { cause });
  if (cause instanceof CursorError)
    return new InvalidPageError("the cursor is not one of this query's", undefined, { cause });
  if (cause instanceof MetadataError || cause instanceof TransactionStateError)
    return new StatementError(`the ORM refused the call (${cause.name}); the cause tells why`, {}, { cause });
  return new InvalidValueError(
    `the ORM refused an entity, or a value (${cause.name}); the cause tells why`,
    {},
    { cause },
  );
}

/** What went wrong while connecting to `target`, as one line without a secret. */
export function toConnectionError(cause: unknown, target: DatabaseTarget): ConnectionError {
  const why = whyUnconnected(cause, sqlStateOf(cause));
  return new ConnectionError(`Database connection failed: ${target.label}: ${why}`, { cause });
}

/** The SQLSTATE, or the operating system's code, of an error or of what caused it; empty when it has none. */
export function sqlStateOf(error: unknown): string {
  if (!isNativeError(error)) return '';
  const code = ownCodeOf(error);
  return code === '' && error.cause !== undefined ? sqlStateOf(error.cause) : code;
}

function ownCodeOf(error: Error): string {
  const first = firstOf(error);
  // Our own errors have a code as well; PostgreSQL's is in what caused them.
  if (first instanceof DataError || !('code' in first) || typeof first.code !== 'string') return '';
  return first.code;
}

// A host with several addresses fails with one error for each.
function firstOf(error: Error): Error {
  if (!('errors' in error) || !Array.isArray(error.errors)) return error;
  const [first]: unknown[] = error.errors;
  return isNativeError(first) ? first : error;
}

// Of a COPY, PostgreSQL tells the row where it tells what it was doing.
function copiedRow(where = ''): number | undefined {
  const [, line] = /^COPY .*, line (\d+)/m.exec(where) ?? [];
  return line === undefined ? undefined : Number(line);
}

// PostgreSQL has no field for what it denies, only words: the kind of an object, and its name.
function deniedIn({ message }: Error): string {
  const [, kind, name] = /^permission denied for ([a-z ]+) "?(\w+)"?$/m.exec(message) ?? [];
  return name === undefined ? '' : `: ${kind} "${name}"`;
}
