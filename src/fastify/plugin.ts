import type { FastifyInstance, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Database, Positioned, ReadOptions, TransactOptions } from '../database/database.ts';
import type { ReadingUnitOfWork, UnitOfWork } from '../database/units/unit-of-work.ts';
import { handleError } from './handle-error.ts';
import { createDisconnectSignal } from './create-disconnect-signal.ts';
import { serveHealth } from './serve-health.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** `transact` of the database; rolls back when the client disconnects before the reply is sent. */
    transact: Database['transact'];
    /** `read` of the database; aborts when the client disconnects before the reply is sent. */
    read: Database['read'];
  }
}

/** Options of the plugin. */
export interface SynthLabDataOptions {
  /** Closed with the app, after the running requests. */
  readonly database: Database;
  /**
   * The path of the health checks. Default: `/health`; false for none.
   *
   * - `GET /health/live`, a liveness probe: 200 while the process responds; never queries the database.
   * - `GET /health/ready`, a readiness probe: 200, or 503 when the database is down, saturated or lacks migrations.
   * - `GET /health`, for monitoring: `database.health()`; 503 when the database is down or lacks migrations. It names the migrations.
   */
  readonly health?: string | false;
}

/**
 * Adds units of work to each request (`request.transact`, `request.read`), an error handler (`handleError`; a scope may handle its own
 * errors first and rethrow the others), health checks, and graceful shutdown: replies during shutdown close their connections, and the
 * database is closed after the last of them. Set `forceCloseConnections: 'idle'` on the app to close idle keep-alive connections.
 */
export const synthLabData = fastifyPlugin(register, { fastify: '5.x', name: 'synth-lab-data' });

async function register(
  app: FastifyInstance,
  { database, health = '/health' }: SynthLabDataOptions,
): Promise<void> {
  const signals = new WeakMap<FastifyRequest, AbortSignal>();
  app.addHook(
    'onRequest',
    async (request, reply) => void signals.set(request, createDisconnectSignal(reply)),
  );
  const withSignal = <Options extends object>(request: FastifyRequest, options: Options) => {
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
    return database.transact(work, withSignal(this, options));
  }
  app.decorateRequest('transact', transact);
  app.decorateRequest('read', function read<
    T,
  >(this: FastifyRequest, work: (uow: ReadingUnitOfWork) => Promise<T>, options: ReadOptions = {}) {
    return database.read(work, withSignal(this, options));
  });

  app.setErrorHandler(handleError);

  if (health !== false) {
    serveHealth(app, database, health);
  }

  // The server waits for open connections: a keep-alive client would delay the shutdown by minutes.
  let closing = false;
  app.addHook('preClose', async () => void (closing = true));
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close');
  });
  app.addHook('onClose', () => database.close());
}
