import type { FastifyInstance } from 'fastify';
import { NotFoundError } from 'synth-lab-data';
import { documentTypes } from 'synth-lab-data/entities';
import { z } from 'zod';

const Place = z.object({ id: z.string(), type: z.enum(documentTypes) });
const Start = z.object({ model: z.string() });
const Finish = z
  .object({ token: z.string() })
  .and(z.union([z.object({ markdown: z.string() }), z.object({ error: z.string() })]));

// An older unfinished generation counts as abandoned.
const patienceMs = 10 * 60_000;

/** Starts to generate a document of an experiment, stores the text or the error with the token of the start, returns it. */
export function documentRoutes(app: FastifyInstance): void {
  app.post('/experiments/:id/documents/:type', async (request, reply) => {
    const { id, type } = Place.parse(request.params);
    const { model } = Start.parse(request.body);
    const generation = await request.transact(async ({ experiments, experimentDocuments }) => {
      await experiments.get(id);
      return experimentDocuments.startGenerating(id, type, {
        model,
        abandonedBefore: new Date(Date.now() - patienceMs),
      });
    });
    if (generation === null)
      return reply.status(409).send({ error: 'generating', message: 'somebody generates it already' });
    return reply.status(201).send(generation);
  });

  app.put('/experiments/:id/documents/:type', async (request, reply) => {
    const { id, type } = Place.parse(request.params);
    const result = Finish.parse(request.body);
    await request.transact(({ experimentDocuments }) =>
      experimentDocuments.finishGenerating(
        id,
        type,
        result.token,
        'error' in result
          ? { status: 'failed', error: result.error }
          : { status: 'completed', markdown: result.markdown },
      ),
    );
    return reply.status(204).send();
  });

  app.get('/experiments/:id/documents', async (request) => {
    const { id } = Place.pick({ id: true }).parse(request.params);
    return request.read(({ experimentDocuments }) => experimentDocuments.listSummaries(id));
  });

  app.get('/experiments/:id/documents/:type', async (request, reply) => {
    const { id, type } = Place.parse(request.params);
    const markdown = await request.read(({ experimentDocuments }) =>
      experimentDocuments.findMarkdown(id, type),
    );
    if (markdown === null) throw new NotFoundError('ExperimentDocument', `${id}/${type}`);
    return reply.type('text/markdown; charset=utf-8').send(markdown);
  });
}
