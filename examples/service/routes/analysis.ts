import type { FastifyInstance } from 'fastify';
import { AnalysisConfig, OutcomeRates, SimulationAttributes } from 'synth-lab-data/entities';
import { z } from 'zod';
import { Key, PageQuery } from '../requests.ts';

const Outcome = z.object({
  synthId: z.string(),
  didNotTryRate: z.number(),
  failedRate: z.number(),
  successRate: z.number(),
  synthAttributes: SimulationAttributes,
});
const Results = z.object({ outcomes: z.array(Outcome), aggregated: OutcomeRates, seconds: z.number() });

/** Starts the analysis of an experiment, stores its results, returns them. */
export function analysisRoutes(app: FastifyInstance): void {
  app.post('/experiments/:id/analysis', async (request, reply) => {
    const { id } = Key.parse(request.params);
    const config = AnalysisConfig.parse(request.body ?? {});
    const key = await request.transact(async ({ experiments, analysisRuns }) => {
      const experiment = await experiments.get(id);
      // An experiment has one analysis. The constraint refuses a second one, also under concurrency.
      return analysisRuns.add({ experiment, config, startedAt: new Date() }).id;
    });
    return reply.status(201).send({ id: key });
  });

  app.put('/analyses/:id/results', async (request, reply) => {
    const { id } = Key.parse(request.params);
    const { outcomes, aggregated, seconds } = Results.parse(request.body);
    // In one transaction: a completed run is never visible without its outcomes.
    await request.transact(async ({ analysisRuns, synthOutcomes }) => {
      await synthOutcomes.saveAll(id, outcomes);
      await analysisRuns.saveStatus(id, 'completed', {
        completedAt: new Date(),
        totalSynths: outcomes.length,
        aggregatedOutcomes: aggregated,
        executionTimeSeconds: seconds,
      });
    });
    return reply.status(204).send();
  });

  app.get('/analyses/:id', async (request) => {
    const { id } = Key.parse(request.params);
    // Two statements that must agree read one snapshot.
    return request.read(
      async ({ analysisRuns, synthOutcomes }) => {
        const { status, totalSynths, aggregatedOutcomes } = await analysisRuns.get(id);
        return {
          id,
          status,
          totalSynths,
          aggregatedOutcomes,
          statistics: await synthOutcomes.findStatistics(id),
        };
      },
      { snapshot: true },
    );
  });

  app.get('/analyses/:id/outcomes', async (request) => {
    const { id } = Key.parse(request.params);
    const { limit, offset } = PageQuery.parse(request.query);
    return request.read(({ synthOutcomes }) => synthOutcomes.pageSummaries(id, { limit, offset }));
  });
}
