import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InvalidPageError, NotFoundError, type UnitOfWork } from '../../../src/index.ts';
import { SimulationRunRepository } from '../../../src/repositories/index.ts';
import {
  TestDatabase,
  aFeatureScorecard,
  aSimulationRun,
  aSynthOutcome,
  anAnalysisRun,
  anExperiment,
} from '../../../src/testing/index.ts';
import { walk } from '../walk.ts';

describe('SimulationRunRepository', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  test('offers nothing that writes', () =>
    db.rollback(async ({ simulationRuns }) => {
      const offered = Object.getOwnPropertyNames(SimulationRunRepository.prototype).toSorted();

      expect(offered).toEqual([
        'constructor',
        'count',
        'findRow',
        'getRow',
        'page',
        'pageOutcomes',
        'scroll',
        'scrollOutcomes',
        'stream',
        'streamOutcomes',
      ]);
      expect(simulationRuns).not.toHaveProperty('add');
      expect(simulationRuns).not.toHaveProperty('remove');
      expect(simulationRuns).not.toHaveProperty('em');
    }));

  test('find and get give the simulation with that key, and what it declares', () =>
    db.rollback(async ({ simulationRuns, em }) => {
      const scorecard = aFeatureScorecard(em);
      const bare = aSimulationRun(em, { scorecard, startedAt: at(1) });
      const full = aSimulationRun(em, {
        scorecard,
        scenarioId: 'crisis',
        status: 'completed',
        startedAt: at(2),
        completedAt: at(3),
        totalSynths: 5,
        aggregatedOutcomes: { did_not_try: 0.2, failed: 0.3, success: 0.5 },
        executionTimeSeconds: 1.5,
      });

      expect(await simulationRuns.findRow(bare.id)).toEqual({
        id: bare.id,
        scorecardId: scorecard.id,
        scenarioId: 'baseline',
        config: { n_synths: 500, n_executions: 100, sigma: 0.05 },
        status: 'pending',
        startedAt: at(1),
        completedAt: null,
        totalSynths: 0,
        aggregatedOutcomes: null,
        executionTimeSeconds: null,
      });
      expect(await simulationRuns.getRow(full.id)).toEqual({
        id: full.id,
        scorecardId: scorecard.id,
        scenarioId: 'crisis',
        config: { n_synths: 500, n_executions: 100, sigma: 0.05 },
        status: 'completed',
        startedAt: at(2),
        completedAt: at(3),
        totalSynths: 5,
        aggregatedOutcomes: { did_not_try: 0.2, failed: 0.3, success: 0.5 },
        executionTimeSeconds: 1.5,
      });
      expect(await simulationRuns.findRow('missing')).toBeNull();
      await expect(simulationRuns.getRow('missing')).rejects.toBeInstanceOf(NotFoundError);
    }));

  test('page orders latest started first, then by key, and counts all', () =>
    db.rollback(async ({ simulationRuns, em }) => {
      for (const [id, second] of [
        ['b', 1],
        ['c', 2],
        ['a', 1],
        ['d', 1],
      ] as const) {
        aSimulationRun(em, { id, startedAt: at(second) });
      }
      const ids = async (request: Request): Promise<string> =>
        (await simulationRuns.page(request)).data.map(({ id }) => id).join('');

      expect(await ids({})).toBe('cdba');
      expect(await ids({ sortOrder: 'asc' })).toBe('abdc');
      expect(await ids({ limit: 2, offset: 1 })).toBe('db');
      expect(await simulationRuns.page({ offset: 9 })).toEqual({
        data: [],
        pagination: { total: 4, limit: 50, offset: 9, hasNext: false },
      });
    }));

  test('page and count take those that meet all that is asked for', () =>
    db.rollback(async ({ simulationRuns, em }) => {
      const experiment = anExperiment(em);
      const scorecard = aFeatureScorecard(em, { experiment });
      const wanted = { scorecard, scenarioId: 'crisis', status: 'failed' } as const;
      const { id } = aSimulationRun(em, wanted);
      aSimulationRun(em, { ...wanted, scenarioId: 'baseline' });
      aSimulationRun(em, { ...wanted, status: 'running' });
      aSimulationRun(em, { ...wanted, scorecard: aFeatureScorecard(em, { experiment }) });
      aSimulationRun(em, { ...wanted, scorecard: aFeatureScorecard(em, { experiment: anExperiment(em) }) });

      const counts = async (filter: Filter): Promise<number> => {
        const { pagination, data } = await simulationRuns.page(filter);
        expect(data).toHaveLength(pagination.total);
        expect(await simulationRuns.count(filter)).toBe(pagination.total);
        return pagination.total;
      };

      expect(await counts({})).toBe(5);
      expect(await counts({ scorecardId: undefined, experimentId: undefined })).toBe(5);
      expect(await simulationRuns.count()).toBe(5);
      expect(await counts({ scorecardId: scorecard.id })).toBe(3);
      expect(await counts({ scenarioId: 'crisis' })).toBe(4);
      expect(await counts({ status: 'failed' })).toBe(4);
      expect(await counts({ experimentId: experiment.id })).toBe(4);
      expect(await counts({ experimentId: 'exp_missing' })).toBe(0);

      const all = { scorecardId: scorecard.id, scenarioId: 'crisis', status: 'failed' } as const;
      const found = await simulationRuns.page({ ...all, experimentId: experiment.id });
      expect(found.data).toMatchObject([{ id }]);
    }));

  test('simulations of a deleted experiment are reached by its key, their scorecard’s and their own', () =>
    db.rollback(async ({ simulationRuns, em }) => {
      const experiment = anExperiment(em, { status: 'deleted' });
      const scorecard = aFeatureScorecard(em, { experiment });
      const { id } = aSimulationRun(em, { scorecard });
      const other = aSimulationRun(em);

      for (const hidden of [{}, { status: 'pending' }, { scenarioId: 'baseline' }] as const) {
        expect((await simulationRuns.page(hidden)).data).toMatchObject([{ id: other.id }]);
        expect(await simulationRuns.count(hidden)).toBe(1);
        expect(await simulationRuns.count({ ...hidden, deleted: 'included' })).toBe(2);
      }
      expect(await simulationRuns.count({ experimentId: experiment.id })).toBe(1);
      expect(await simulationRuns.count({ scorecardId: scorecard.id })).toBe(1);
      expect(await simulationRuns.findRow(id)).toMatchObject({ id });
    }));

  test('pageOutcomes gives the outcomes stored for a simulation, in the order of synths, as they were stored', () =>
    db.rollback(async ({ simulationRuns, em }) => {
      const analysis = anAnalysisRun(em, { id: 'ana_1' });
      for (const synthId of ['b', 'c', 'a']) aSynthOutcome(em, { analysis, id: `out_${synthId}`, synthId });
      aSynthOutcome(em, { analysis, id: 'out_bare', synthId: 'd', synthAttributes: null });
      aSynthOutcome(em);

      const { data, pagination } = await simulationRuns.pageOutcomes('sim_1');

      expect(pagination.total).toBe(4);
      expect(data.map(({ id }) => id)).toEqual(['out_a', 'out_b', 'out_c', 'out_bare']);
      expect(data[0]).toEqual({
        id: 'out_a',
        synthId: 'a',
        didNotTryRate: 0.2,
        failedRate: 0.3,
        successRate: 0.5,
        synthAttributes: { observables: expect.any(Object), latent_traits: expect.any(Object) },
      });
      expect(data[3]).toMatchObject({ synthAttributes: null });
    }));

  test('pageOutcomes pages, either way round; a simulation without outcomes has an empty page', () =>
    db.rollback(async ({ simulationRuns, em }) => {
      const analysis = anAnalysisRun(em, { id: 'ana_1' });
      for (const synthId of ['b', 'c', 'a']) aSynthOutcome(em, { analysis, synthId });
      const synths = async (request: OutcomeRequest): Promise<string> =>
        (await simulationRuns.pageOutcomes('sim_1', request)).data.map(({ synthId }) => synthId).join('');

      expect(await synths({ limit: 2 })).toBe('ab');
      expect(await synths({ limit: 2, offset: 2 })).toBe('c');
      expect(await synths({ sortOrder: 'desc' })).toBe('cba');
      expect(await simulationRuns.pageOutcomes('sim_missing')).toEqual({
        data: [],
        pagination: { total: 0, limit: 50, offset: 0, hasNext: false },
      });
    }));

  test('scroll walks every simulation once, latest started first, equal times and microseconds included', () =>
    db.rollback(async ({ simulationRuns, em }) => {
      const scorecard = aFeatureScorecard(em);
      aSimulationRun(em, { scorecard, startedAt: at(-1) });
      await em.flush();
      await em.execute(
        `insert into simulation_runs (id, scorecard_id, scenario_id, config, started_at)
          select 'sim_' || i, ?, 's', '{}', timestamptz '2026-01-01 00:00:00Z' + (i / 3) * interval '1 microsecond'
          from generate_series(1, 20) i`,
        [scorecard.id],
      );
      const all = await em.execute<{ id: string }[]>(
        'select id from simulation_runs order by started_at desc, id desc',
      );

      const found = await walk((after) => {
        return simulationRuns.scroll({ after, first: 3 });
      });
      const walked = found.map(({ id }) => id);

      expect(all).toHaveLength(21);
      expect(walked).toEqual(all.map(({ id }) => id));
    }));

  test('scroll takes those that meet all that is asked for, and its cursor goes on with the same filter only', () =>
    db.rollback(async ({ simulationRuns, em }) => {
      const experiment = anExperiment(em);
      const scorecard = aFeatureScorecard(em, { experiment });
      const wanted = { scorecard, scenarioId: 'crisis', status: 'failed' } as const;
      const { id } = aSimulationRun(em, { ...wanted, startedAt: at(1) });
      aSimulationRun(em, { ...wanted, startedAt: at(2) });
      aSimulationRun(em, { ...wanted, scenarioId: 'baseline' });
      aSimulationRun(em, { ...wanted, status: 'running' });
      aSimulationRun(em, { ...wanted, scorecard: aFeatureScorecard(em, { experiment }) });
      aSimulationRun(em, { ...wanted, scorecard: aFeatureScorecard(em) });
      const filter = { scorecardId: scorecard.id, experimentId: experiment.id, scenarioId: 'crisis' };

      const { endCursor: after } = (await simulationRuns.scroll({ ...filter, status: 'failed', first: 1 }))
        .pagination;
      const rest = await simulationRuns.scroll({ status: 'failed', ...filter, after });

      expect(rest).toMatchObject({
        data: [await simulationRuns.getRow(id)],
        pagination: { hasNextPage: false },
      });
      for (const other of [{}, filter, { ...filter, status: 'running' as const }]) {
        await expect(simulationRuns.scroll({ ...other, after })).rejects.toBeInstanceOf(InvalidPageError);
      }
    }));

  test('scrollOutcomes walks the outcomes of one simulation in the order of synths, as pageOutcomes has them', () =>
    db.rollback(async ({ simulationRuns, em }) => {
      const analysis = anAnalysisRun(em, { id: 'ana_1' });
      for (const synthId of ['b', 'e', 'c', 'a', 'd']) aSynthOutcome(em, { analysis, synthId });
      aSynthOutcome(em, { synthId: 'bb' });
      const whole = await simulationRuns.pageOutcomes('sim_1');

      const first = await simulationRuns.scrollOutcomes('sim_1', { first: 2 });
      aSynthOutcome(em, { analysis, synthId: 'aa' });
      const rest = await simulationRuns.scrollOutcomes('sim_1', { after: first.pagination.endCursor });

      expect([...first.data, ...rest.data]).toEqual(whole.data);
      expect(rest.pagination.hasNextPage).toBe(false);
      expect(await simulationRuns.scrollOutcomes('sim_missing')).toEqual({
        data: [],
        pagination: { endCursor: null, hasNextPage: false },
      });
      const foreign = simulationRuns.scrollOutcomes('sim_2', { after: first.pagination.endCursor });
      await expect(foreign).rejects.toBeInstanceOf(InvalidPageError);
    }));

  test.each([{ limit: 201 }, { offset: 0.5 }, { sortBy: 'config' }])('refuses the page %o', (request) =>
    db.rollback(async ({ simulationRuns }) => {
      // @ts-expect-error -- what a caller without types may send
      await expect(simulationRuns.page(request)).rejects.toBeInstanceOf(InvalidPageError);
      // @ts-expect-error -- what a caller without types may send
      await expect(simulationRuns.pageOutcomes('sim_1', request)).rejects.toBeInstanceOf(InvalidPageError);
    }),
  );
});

type Request = Parameters<UnitOfWork['simulationRuns']['page']>[0];
type Filter = Parameters<UnitOfWork['simulationRuns']['count']>[0];
type OutcomeRequest = Parameters<UnitOfWork['simulationRuns']['pageOutcomes']>[1];

function at(second: number): Date {
  return new Date(Date.UTC(2026, 0, 1, 0, 0, second));
}
