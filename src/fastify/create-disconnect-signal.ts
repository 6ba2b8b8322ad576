import type { FastifyReply } from 'fastify';

/** The client closed the connection. 499 is the status that proxies log for it. */
class ClientGoneError extends Error {
  readonly statusCode = 499;

  constructor() {
    super('the client disconnected before the reply was sent');
  }
}

/**
 * Returns a signal that aborts when the client disconnects before the reply is sent. Fastify's `request.signal` aborts as soon as the body
 * of the request has been read (5.12).
 */
export function createDisconnectSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) gone.abort(new ClientGoneError());
  });
  return gone.signal;
}
