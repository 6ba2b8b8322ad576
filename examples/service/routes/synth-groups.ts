import type { FastifyInstance } from 'fastify';
import { NotFoundError } from 'synth-lab-data';
import { z } from 'zod';
import { Key, PageQuery, CursorQuery } from '../requests.ts';

const NewGroup = z.object({ name: z.string(), description: z.string().nullish() });

/** Creates, lists, returns (with their synths) and deletes groups of synths. */
export function synthGroupRoutes(app: FastifyInstance): void {
  app.post('/synth-groups', async (request, reply) => {
    const { name, description = null } = NewGroup.parse(request.body);
    const { id } = await request.transact(async ({ synthGroups }) => synthGroups.add({ name, description }));
    return reply.status(201).send({ id });
  });

  app.get('/synth-groups', async (request) => {
    const { limit, offset } = PageQuery.parse(request.query);
    return request.read(({ synthGroups }) => synthGroups.pageSummaries({ limit, offset }));
  });

  app.get('/synth-groups/:id', async (request) => {
    const { id } = Key.parse(request.params);
    const detail = await request.read(({ synthGroups }) =>
      synthGroups.findDetail(id, CursorQuery.parse(request.query)),
    );
    if (!detail) throw new NotFoundError('SynthGroup', id);
    return detail;
  });

  app.delete('/synth-groups/:id', async (request, reply) => {
    const { id } = Key.parse(request.params);
    // Its synths are kept, without a group.
    await request.transact(async ({ synthGroups }) => synthGroups.remove(await synthGroups.get(id)));
    return reply.status(204).send();
  });
}
