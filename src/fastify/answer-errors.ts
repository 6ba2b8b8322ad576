import type { FastifyReply, FastifyRequest } from 'fastify';
import { isDataError, type AnyDataError } from '../is-data-error.ts';

const statuses: Readonly<Partial<Record<AnyDataError['code'], number>>> = {
  not_found: 404,
  duplicate: 409,
  contention: 409,
  dangling_reference: 409,
  constraint: 409,
  protected_row: 409,
  too_few_rows: 409,
  invalid_page: 422,
  invalid_json: 422,
  invalid_value: 422,
  connection_failed: 503,
  connection_lost: 503,
  commit_unknown: 503,
  database_closed: 503,
  pool_timeout: 503,
  unavailable: 503,
};

/**
 * Answers an error that a handler threw with `{ error, message, constraint? }`: a `DataError` by its code (404, 409, 422, 503; else
 * 500), which it names, one of Fastify's own by its status. Of any other, and of what is 500, the client is told nothing;
 * the log is.
 */
export function answerErrors(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = statusOf(error);
  if (status >= 500) request.log.error(error);
  const constraint = isDataError(error) && 'constraint' in error ? error.constraint : undefined;
  return reply.status(status).send({
    error: isDataError(error) ? error.code : 'error',
    // Messages of ours hold no row data; those of others might. A client has no use for what is wrong with a statement.
    message: (status !== 500 && property(error, 'message')) || 'something went wrong',
    ...(constraint !== undefined && status !== 500 && { constraint }),
  });
}

function statusOf(error: unknown): number {
  if (isDataError(error)) return statuses[error.code] ?? 500;
  const given = property(error, 'statusCode');
  return typeof given === 'number' ? given : 500;
}

// By name, whatever the error is an instance of: Fastify's own, made by a constructor function, are no native errors to V8.
function property(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
}
