import type { FastifyInstance, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Database, Positioned, ReadOptions, TransactOptions } from '../database/database.ts';
import type { ReadingUnitOfWork, UnitOfWork } from '../database/units/unit-of-work.ts';
import { answerErrors } from './answer-errors.ts';
import { whenGone } from './gone.ts';
import { serveHealth } from './health.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** `transact` of the database. It is taken back when the client goes away before it was answered. */
    transact: Database['transact'];
    /** `read` of the database. It ends when the client goes away before it was answered. */
    read: Database['read'];
  }
}

export interface SynthLabDataOptions {
  /** Closed with the app, once the requests that run have been answered. */
  readonly database: Database;
  /**
   * Where the health is served, by `GET`. Default `/health`; false: nowhere.
   *
   * - `/health/live`, for a liveness probe: 200 while the process answers. It never asks the database.
   * - `/health/ready`, for a readiness probe and load balancers: 200, or 503 when the database is down, saturated or lacks migrations.
   * - `/health`, for people and monitoring: `database.health()`; 503 when the database is down or lacks migrations. It names migrations.
   */
  readonly health?: string | false;
}

/**
 * Gives each request its units of work (`request.transact`, `request.read`), answers errors (`answerErrors`; a scope within the app
 * may answer its own first, and throw on the rest), serves its health, and shuts down gracefully: answers that are given while the app
 * closes end their connections, and the database is closed after the last. With `forceCloseConnections: 'idle'` on the app, nobody
 * waits for clients that keep a connection.
 */
export const synthLabData = fastifyPlugin(register, { fastify: '5.x', name: 'synth-lab-data' });

async function register(
  app: FastifyInstance,
  { database, health = '/health' }: SynthLabDataOptions,
): Promise<void> {
  const signals = new WeakMap<FastifyRequest, AbortSignal>();
  app.addHook('onRequest', async (request, reply) => void signals.set(request, whenGone(reply)));
  const bound = <Options extends object>(request: FastifyRequest, options: Options) => {
    const signal = signals.get(request);
    return { ...(signal && { signal }), ...options };
  };

  function transact<T>(
    this: FastifyRequest,
    work: (uow: UnitOfWork) => Promise<T>,
    options: TransactOptions & { readonly position: true },
  ): Promise<Positioned<T>>;
  function transact<T>(
    this: FastifyRequest,
    work: (uow: UnitOfWork) => Promise<T>,
    options?: TransactOptions,
  ): Promise<T>;
  function transact<T>(
    this: FastifyRequest,
    work: (uow: UnitOfWork) => Promise<T>,
    options: TransactOptions = {},
  ): Promise<T | Positioned<T>> {
    return database.transact(work, bound(this, options));
  }
  app.decorateRequest('transact', transact);
  app.decorateRequest('read', function read<
    T,
  >(this: FastifyRequest, work: (uow: ReadingUnitOfWork) => Promise<T>, options: ReadOptions = {}) {
    return database.read(work, bound(this, options));
  });

  app.setErrorHandler(answerErrors);

  if (health !== false) {
    serveHealth(app, database, health);
  }

  // The server waits for open connections: a client that keeps its own would hold it back for minutes.
  let closing = false;
  app.addHook('preClose', async () => void (closing = true));
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close');
  });
  app.addHook('onClose', () => database.close());
}
