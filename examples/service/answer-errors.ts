import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
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
  UnavailableError,
} from 'synth-lab-data';
import { ZodError } from 'zod';

// First match counts.
const statuses: readonly (readonly [new (...args: never[]) => Error, number])[] = [
  [NotFoundError, 404],
  [DuplicateError, 409],
  [ContentionError, 409],
  [DanglingReferenceError, 409],
  [ConstraintError, 409],
  [InvalidPageError, 422],
  [InvalidJsonError, 422],
  [InvalidValueError, 422],
  [ZodError, 422],
  [ConnectionError, 503],
  [ConnectionLostError, 503],
  [CommitUnknownError, 503],
  [DatabaseClosedError, 503],
  [PoolTimeoutError, 503],
  [UnavailableError, 503],
];

/** Answers an error that a handler threw: a `DataError` by its class, with its stable code; anything unknown says nothing. */
export function answerErrors(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const status = statuses.find(([kind]) => error instanceof kind)?.[1] ?? error.statusCode ?? 500;
  if (status >= 500) request.log.error(error);
  return reply.status(status).send({
    error: error instanceof DataError ? error.code : error instanceof ZodError ? 'invalid_request' : 'error',
    // Messages of ours hold no row data; those of others might.
    message: error instanceof DataError || status < 500 ? messageOf(error) : 'something went wrong',
    ...(error instanceof DuplicateError && { constraint: error.constraint }),
  });
}

function messageOf(error: Error): string {
  if (!(error instanceof ZodError)) return error.message;
  return error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; ');
}
