import type { FastifyInstance } from 'fastify';
import {
  ExplorationConfig,
  ExplorationGoal,
  ScorecardParams,
  SimulationResults,
} from 'synth-lab-data/entities';
import { z } from 'zod';
import { Key } from '../requests.ts';

const NewExploration = z.object({
  goal: ExplorationGoal,
  config: ExplorationConfig,
  params: ScorecardParams,
});
const NewNode = z.object({
  shortAction: z.string(),
  params: ScorecardParams,
  results: SimulationResults,
});

/** Starts an exploration from an analysis, adds nodes to its tree, returns it. */
export function explorationRoutes(app: FastifyInstance): void {
  app.post('/experiments/:id/explorations', async (request, reply) => {
    const { id } = Key.parse(request.params);
    const { goal, config, params } = NewExploration.parse(request.body);
    const key = await request.transact(async ({ experiments, analysisRuns, explorations, scenarioNodes }) => {
      const experiment = await experiments.get(id);
      const baselineAnalysis = await analysisRuns.getByExperiment(id);
      const exploration = explorations.add({
        experiment,
        baselineAnalysis,
        goal,
        config,
        startedAt: new Date(),
        totalNodes: 1,
      });
      // In one transaction: an exploration always has a root.
      scenarioNodes.add({ exploration, scorecardParams: params });
      return exploration.id;
    });
    return reply.status(201).send({ id: key });
  });

  app.post('/nodes/:id/children', async (request, reply) => {
    const { id } = Key.parse(request.params);
    const { shortAction, params, results } = NewNode.parse(request.body);
    const key = await request.transact(async ({ explorations, scenarioNodes }) => {
      const parent = await scenarioNodes.get(id);
      const depth = parent.depth + 1;
      const child = scenarioNodes.add({
        exploration: parent.exploration,
        parent,
        depth,
        shortAction,
        scorecardParams: params,
        simulationResults: results,
      });
      // Incremented in the database, so concurrent requests are all counted.
      await explorations.recordProgress(parent.exploration.id, {
        nodes: 1,
        depth,
        successRate: results.success_rate,
      });
      return child.id;
    });
    return reply.status(201).send({ id: key });
  });

  app.get('/explorations/:id', async (request) => {
    const { id } = Key.parse(request.params);
    return request.read(
      async ({ explorations, scenarioNodes }) => ({
        exploration: await explorations.getSummary(id),
        nodes: await scenarioNodes.listByExploration(id),
      }),
      { snapshot: true },
    );
  });

  app.get('/nodes/:id/path', async (request) => {
    const { id } = Key.parse(request.params);
    return request.read(({ scenarioNodes }) => scenarioNodes.listPath(id));
  });
}
