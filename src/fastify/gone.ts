import type { FastifyReply } from 'fastify';

/**
 * Aborts when the client goes away before it was answered. Fastify's own `request.signal` does that as soon as the request's body
 * has been read (5.12).
 */
export function whenGone({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) gone.abort(new Error('the client went away before it was answered'));
  });
  return gone.signal;
}
