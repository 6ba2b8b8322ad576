import Fastify, { type FastifyInstance } from 'fastify';
import type { Database } from 'synth-lab-data';
import { synthLabData } from 'synth-lab-data/fastify';
import { answerInvalid } from './answer-invalid.ts';
import { analysisRoutes } from './routes/analysis.ts';
import { documentRoutes } from './routes/documents.ts';
import { experimentRoutes } from './routes/experiments.ts';
import { explorationRoutes } from './routes/explorations.ts';
import { synthGroupRoutes } from './routes/synth-groups.ts';

/** Builds the HTTP interface of `database`. Closing the app closes the database. */
export function buildApp(database: Database): FastifyInstance {
  const app = Fastify({ forceCloseConnections: 'idle' });
  // It also serves the probes: GET /health/live for liveness, GET /health/ready for readiness, GET /health for people.
  void app.register(synthLabData, { database });
  void app.register(async (routes) => {
    routes.setErrorHandler(answerInvalid);
    experimentRoutes(routes);
    synthGroupRoutes(routes);
    analysisRoutes(routes);
    explorationRoutes(routes);
    documentRoutes(routes);
  });
  return app;
}
