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
 * Replies to an error of a handler with `{ error, message, constraint? }`. The status of a `DataError` follows from its code (404, 409,
 * 422, 503, otherwise 500); errors of Fastify keep theirs. Errors with status 500 and above are logged; a status of 500 hides the message.
 */
export function handleError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = statusOf(error);
  if (status >= 500) request.log.error(error);
  const constraint = isDataError(error) && 'constraint' in error ? error.constraint : undefined;
  return reply.status(status).send({
    error: isDataError(error) ? error.code : 'error',
    // Our messages have no row data; those of others may. Details of a failed statement are of no use to a client.
    message: (status !== 500 && property(error, 'message')) || 'internal server error',
    ...(constraint !== undefined && status !== 500 && { constraint }),
  });
}

function statusOf(error: unknown): number {
  if (isDataError(error)) return statuses[error.code] ?? 500;
  const given = property(error, 'statusCode');
  return typeof given === 'number' ? given : 500;
}

// Read from any object: Fastify's errors come from a constructor function and are not native errors to V8.
function property(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
}
