import { isNativeError } from 'node:util/types';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  CommitUnknownError,
  ConnectionError,
  ConnectionLostError,
  ConstraintError,
  ContentionError,
  DanglingReferenceError,
  DataError,
  DatabaseClosedError,
  DuplicateError,
  InvalidJsonError,
  InvalidPageError,
  InvalidValueError,
  NotFoundError,
  PoolTimeoutError,
  ProtectedRowError,
  RefusedError,
  TooFewRowsError,
  UnavailableError,
} from '../errors.ts';

// First match counts.
const statuses: readonly (readonly [new (...args: never[]) => DataError, number])[] = [
  [NotFoundError, 404],
  [DuplicateError, 409],
  [ContentionError, 409],
  [DanglingReferenceError, 409],
  [ConstraintError, 409],
  [ProtectedRowError, 409],
  [TooFewRowsError, 409],
  [InvalidPageError, 422],
  [InvalidJsonError, 422],
  [InvalidValueError, 422],
  [ConnectionError, 503],
  [ConnectionLostError, 503],
  [CommitUnknownError, 503],
  [DatabaseClosedError, 503],
  [PoolTimeoutError, 503],
  [UnavailableError, 503],
];

/**
 * Answers an error that a handler threw with `{ error, message, constraint? }`: a `DataError` by its class (404, 409, 422, 503; else
 * 500) and with its stable code, one of Fastify's own by its status. Of any other, and of what is 500, the client is told nothing;
 * the log is.
 */
export function answerErrors(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = statusOf(error);
  if (status >= 500) request.log.error(error);
  const constraint = error instanceof RefusedError ? error.constraint : undefined;
  return reply.status(status).send({
    error: error instanceof DataError ? error.code : 'error',
    // Messages of ours hold no row data; those of others might. A client has no use for what is wrong with a statement.
    message: status !== 500 && isNativeError(error) ? error.message : 'something went wrong',
    ...(constraint !== undefined && status !== 500 && { constraint }),
  });
}

function statusOf(error: unknown): number {
  if (error instanceof DataError) return statuses.find(([kind]) => error instanceof kind)?.[1] ?? 500;
  const given = isNativeError(error) && 'statusCode' in error ? error.statusCode : undefined;
  return typeof given === 'number' ? given : 500;
}
