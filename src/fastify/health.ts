import type { FastifyInstance } from 'fastify';
import type { Database } from '../database/database.ts';

/** Serves the health of `database` and of the process at `path` and below it. Probes that pass are not logged. */
export function serveHealth(app: FastifyInstance, database: Database, path: string): void {
  const base = path.replace(/\/$/, '');
  const quiet = { logLevel: 'warn' } as const;

  // Whatever the database does, a restart of this process would not cure it.
  app.get(`${base}/live`, quiet, async () => ({ status: 'alive' }));

  app.get(`${base}/ready`, quiet, async (_request, reply) => {
    const { ready, status, error } = await database.health();
    return reply.status(ready ? 200 : 503).send({ ready, status, error });
  });

  app.get(path, quiet, async (_request, reply) => {
    const health = await database.health();
    // One that is busy works: whoever has this probed for liveness must not restart it for that.
    const works = health.ready || health.status === 'saturated';
    return reply.status(works ? 200 : 503).send(health);
  });
}
