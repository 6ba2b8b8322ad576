import type { FastifyInstance } from 'fastify';
import { Scorecard } from 'synth-lab-data/entities';
import { z } from 'zod';
import { Key, PageQuery } from '../requests.ts';

const NewExperiment = z.object({
  name: z.string(),
  hypothesis: z.string(),
  description: z.string().nullish(),
});
const Changes = z.object({
  name: z.string().optional(),
  hypothesis: z.string().optional(),
  description: z.string().nullable().optional(),
});

/** Creates, lists, returns, changes, deletes and restores experiments. */
export function experimentRoutes(app: FastifyInstance): void {
  app.post('/experiments', async (request, reply) => {
    const { name, hypothesis, description = null } = NewExperiment.parse(request.body);
    const { id } = await request.transact(async ({ experiments }) =>
      experiments.add({ name, hypothesis, description }),
    );
    return reply.status(201).send({ id });
  });

  app.get('/experiments', async (request) =>
    // The repository refuses unknown sort keys.
    request.read(({ experiments }) => experiments.pageSummaries(PageQuery.parse(request.query))),
  );

  app.get('/experiments/:id', async (request) => {
    const { id } = Key.parse(request.params);
    return request.read(({ experiments }) => experiments.getSummary(id));
  });

  app.patch('/experiments/:id', async (request, reply) => {
    const { id } = Key.parse(request.params);
    const changes = Changes.parse(request.body);
    await request.transact(({ experiments }) => experiments.update(id, changes));
    return reply.status(204).send();
  });

  app.put('/experiments/:id/scorecard', async (request, reply) => {
    const { id } = Key.parse(request.params);
    const scorecard = Scorecard.parse(request.body);
    await request.transact(({ experiments }) => experiments.saveScorecard(id, scorecard));
    return reply.status(204).send();
  });

  app.delete('/experiments/:id', async (request, reply) => {
    const { id } = Key.parse(request.params);
    await request.transact(({ experiments }) => experiments.softDelete(id));
    return reply.status(204).send();
  });

  app.post('/experiments/:id/restore', async (request, reply) => {
    const { id } = Key.parse(request.params);
    await request.transact(({ experiments }) => experiments.restore(id));
    return reply.status(204).send();
  });
}
