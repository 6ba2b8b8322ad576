import type { FastifyInstance } from 'fastify';
import type { Database } from '../database/database.ts';

/** Adds the routes of the health checks at `path`. Probes that pass are not logged. */
export function serveHealth(app: FastifyInstance, database: Database, path: string): void {
  const base = path.replace(/\/$/, '');
  const quiet = { logLevel: 'warn' } as const;

  // Independent of the database: restarting this process would not repair it.
  app.get(`${base}/live`, quiet, async () => ({ status: 'alive' }));

  app.get(`${base}/ready`, quiet, async (_request, reply) => {
    const { ready, status, error } = await database.health();
    return reply.status(ready ? 200 : 503).send({ ready, status, error });
  });

  app.get(path, quiet, async (_request, reply) => {
    const health = await database.health();
    // A saturated pool is no reason to restart the process, should this be used as a liveness probe.
    const healthy = health.ready || health.status === 'saturated';
    return reply.status(healthy ? 200 : 503).send(health);
  });
}
