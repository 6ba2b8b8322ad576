import type { FastifyReply, FastifyRequest } from 'fastify';
import { ZodError } from 'zod';

/** Answers an invalid request with 422, and throws other errors to the next error handler. */
export function answerInvalid(error: Error, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!(error instanceof ZodError)) throw error;
  const message = error.issues
    .map(({ path, message: what }) => `${path.join('.') || 'body'}: ${what}`)
    .join('; ');
  return reply.status(422).send({ error: 'invalid_request', message });
}
