import Fastify, { type FastifyInstance } from 'fastify';
import type { Database } from 'synth-lab-data';
import { answerErrors } from './answer-errors.ts';
import { analysisRoutes } from './routes/analysis.ts';
import { documentRoutes } from './routes/documents.ts';
import { experimentRoutes } from './routes/experiments.ts';
import { explorationRoutes } from './routes/explorations.ts';
import { synthGroupRoutes } from './routes/synth-groups.ts';

/** The HTTP interface over `database`, which it closes when it is closed itself. */
export function buildApp(database: Database): FastifyInstance {
  const app = Fastify({ forceCloseConnections: 'idle' });
  app.setErrorHandler(answerErrors);
  for (const routes of [
    experimentRoutes,
    synthGroupRoutes,
    analysisRoutes,
    explorationRoutes,
    documentRoutes,
  ]) {
    routes(app, database);
  }
  // The server waits for open connections: a client that keeps its own would hold it back for minutes.
  let closing = false;
  app.addHook('preClose', async () => void (closing = true));
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close');
  });
  app.addHook('onClose', () => database.close());
  return app;
}
