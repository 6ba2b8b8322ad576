import type { FastifyReply } from 'fastify';

/** Answered to nobody, and no fault of the service's: as proxies write it down. */
class ClientGoneError extends Error {
  readonly statusCode = 499;

  constructor() {
    super('the client went away before it was answered');
  }
}

/**
 * Aborts when the client goes away before it was answered. Fastify's own `request.signal` does that as soon as the request's body
 * has been read (5.12).
 */
export function whenGone({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) gone.abort(new ClientGoneError());
  });
  return gone.signal;
}
