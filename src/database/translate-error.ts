import { OptimisticLockError, ValidationError } from '@mikro-orm/core';
import {
  ConnectionError,
  ContentionError,
  DanglingReferenceError,
  DataError,
  DuplicateError,
  ForbiddenError,
  InvalidValueError,
  type RefusedError,
} from '../errors.ts';
import type { DatabaseTarget } from '../settings/database-url.ts';

type Refusal = new (...args: ConstructorParameters<typeof DuplicateError>) => RefusedError;

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const refusals: Partial<Record<string, readonly [Refusal, string]>> = {
  '22001': [InvalidValueError, 'a value is too long'],
  '22003': [InvalidValueError, 'a number is out of range'],
  '22007': [InvalidValueError, 'a time is malformed'],
  '22008': [InvalidValueError, 'a time is out of range'],
  '22021': [InvalidValueError, 'a text holds a character that PostgreSQL does not store'],
  '22P02': [InvalidValueError, 'a value is malformed'],
  '22P05': [InvalidValueError, 'a document holds a character that PostgreSQL does not store'],
  '23502': [InvalidValueError, 'a required value is missing'],
  '23503': [DanglingReferenceError, 'a row points at one that does not exist, or is still pointed at'],
  '23505': [DuplicateError, 'another row already holds this value'],
  '23514': [InvalidValueError, 'a value breaks a rule of its table'],
  '25006': [ForbiddenError, 'the connection is read-only'],
  '40001': [ContentionError, 'another transaction changed the same rows; run it again'],
  '40P01': [ContentionError, 'deadlock with another transaction; run it again'],
  '42501': [ForbiddenError, 'the role lacks the privilege'],
  '55P03': [ContentionError, 'another transaction holds the lock'],
};

const logins: Partial<Record<string, string>> = {
  '28P01': 'the password is wrong, or the role does not exist',
  '28000': 'the server does not let this role in',
  '3D000': 'the database does not exist',
  '42501': 'the role may not connect to this database',
  '53300': 'the server has no connection left',
  '57P03': 'the server is starting up or shutting down',
  '08P01': 'the server, or a pooler in front of it, refused how we connect',
};

const sockets: Partial<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name could not be looked up',
  ETIMEDOUT: 'no answer in time',
  EHOSTUNREACH: 'the host is unreachable',
  ENETUNREACH: 'the network is unreachable',
};

/** The `DataError` for what the ORM or the driver threw; anything else comes back as it was. */
export function toDataError(error: unknown): unknown {
  if (error instanceof DataError) return error;
  if (error instanceof OptimisticLockError) {
    return new ContentionError('another writer changed the row since it was read', {}, { cause: error });
  }
  if (error instanceof ValidationError) {
    return new InvalidValueError(`the ORM refused an entity (${error.name})`, {}, { cause: error });
  }
  if (isUnconnected(error))
    return new ConnectionError(`Database connection failed: ${whyUnconnected(error)}`, { cause: error });
  const refusal = refusals[sqlStateOf(error)];
  if (!(error instanceof Error) || !refusal) return error;
  const [Refused, what] = refusal;
  // PostgreSQL's own fields, which the driver, and the ORM after it, hang on their errors.
  const { table, constraint }: Error & { table?: string; constraint?: string } = error;
  // Names an object, never a value.
  const [denied] = /permission denied for .*/.exec(error.message) ?? [];
  return new Refused(denied ? `${what}: ${denied}` : what, { table, constraint }, { cause: error });
}

/** What went wrong while connecting to `target`, as one line without a secret. */
export function toConnectionError(cause: unknown, target: DatabaseTarget): ConnectionError {
  return new ConnectionError(`Database connection failed: ${target.label}: ${whyUnconnected(cause)}`, {
    cause,
  });
}

function whyUnconnected(cause: unknown): string {
  const code = sqlStateOf(cause);
  const why = logins[code] ?? sockets[code] ?? (isTimeout(cause) ? 'no answer in time' : 'see the cause');
  return code === '' ? why : `${why} (${code})`;
}

// What can only happen before there is a connection, the wait for one from the pool included.
function isUnconnected(error: unknown): boolean {
  const code = sqlStateOf(error);
  if (['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', '28P01', '28000', '3D000', '53300', '57P03'].includes(code))
    return true;
  return error instanceof Error && error.message.includes('timeout exceeded when trying to connect');
}

/** The SQLSTATE, or the operating system's code, of an error or of what caused it; empty when it has none. */
export function sqlStateOf(error: unknown): string {
  // A host with several addresses fails with one error for each.
  if (error instanceof AggregateError) return sqlStateOf(error.errors[0]);
  if (!(error instanceof Error)) return '';
  // Our own errors have a code as well; PostgreSQL's is in what caused them.
  if (
    !(error instanceof DataError) &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.code !== ''
  ) {
    return error.code;
  }
  return error.cause === undefined ? '' : sqlStateOf(error.cause);
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && /timeout|timed out/i.test(error.message);
}
