import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Exploration } from '../../src/entities.ts';
import { ContentionError, InvalidPageError, InvalidValueError, NotFoundError } from '../../src/index.ts';
import { TestDatabase, anAnalysisRun, anExperiment, anExploration } from '../../src/testing/index.ts';
import { walk } from './walk.ts';

describe('ExplorationRepository', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  const stored = (): Promise<string> => db.transact(async ({ em }) => anExploration(em).id);

  test('a new exploration runs, with its counters at zero and a key of its own', () =>
    db.rollback(async ({ explorations, em }) => {
      const experiment = anExperiment(em);
      const { id } = explorations.add({
        experiment,
        baselineAnalysis: anAnalysisRun(em, { experiment }),
        goal: { metric: 'success_rate', operator: '>=', value: 0.7 },
        config: {},
        startedAt: at(1),
      });

      expect(await explorations.getSummary(id)).toEqual({
        id: expect.stringMatching(/^expl_/),
        experimentId: experiment.id,
        baselineAnalysisId: expect.stringMatching(/^ana_/),
        goal: { metric: 'success_rate', operator: '>=', value: 0.7 },
        config: {},
        status: 'running',
        currentDepth: 0,
        totalNodes: 0,
        totalLlmCalls: 0,
        bestSuccessRate: null,
        startedAt: at(1),
        completedAt: null,
      });
    }));

  test('find gives null where get refuses', () =>
    db.rollback(async ({ explorations, em }) => {
      const exploration = anExploration(em);
      anExploration(em);

      expect(await explorations.find(exploration.id)).toBe(exploration);
      expect(await explorations.get(exploration.id)).toBe(exploration);
      expect(await explorations.find('expl_missing')).toBeNull();
      await expect(explorations.get('expl_missing')).rejects.toBeInstanceOf(NotFoundError);
    }));

  test('a summary holds every column, as what its type says', () =>
    db.rollback(async ({ explorations, em }) => {
      const { id } = anExploration(em, { bestSuccessRate: 0.25, completedAt: at(9), config: { seed: null } });
      anExploration(em);

      expect(await explorations.getSummary(id)).toEqual({
        id,
        experimentId: expect.any(String),
        baselineAnalysisId: expect.any(String),
        goal: { metric: 'success_rate', operator: '>=', value: expect.any(Number) },
        config: { seed: null },
        status: 'running',
        currentDepth: expect.any(Number),
        totalNodes: expect.any(Number),
        totalLlmCalls: expect.any(Number),
        bestSuccessRate: 0.25,
        startedAt: expect.any(Date),
        completedAt: at(9),
      });
      await expect(explorations.getSummary('expl_missing')).rejects.toBeInstanceOf(NotFoundError);
    }));

  test('lock shows what others changed since it was loaded', async () => {
    const id = await stored();

    await db.transact(async ({ explorations }) => {
      const loaded = await explorations.get(id);
      await db.transact(async (other) => {
        await other.explorations.recordLlmCalls(id, 2);
        (await other.explorations.get(id)).config = { seed: 1 };
      });

      expect(await explorations.lock(id)).toBe(loaded);
      expect(loaded).toMatchObject({ totalLlmCalls: 2, config: { seed: 1 }, rowVersion: 3 });
      loaded.currentDepth = 1;
      expect(await explorations.lock(id)).toMatchObject({ currentDepth: 1, rowVersion: 4 });
    });
  });

  test('lock keeps others out until the end, and gives null for no row', async () => {
    const id = await stored();

    await db.transact(async ({ explorations }) => {
      await explorations.lock(id);

      const second = db.transact(async (other) => {
        await other.em.execute(`set local lock_timeout = '20ms'`);
        await other.explorations.lock(id);
      });
      await expect(second).rejects.toBeInstanceOf(ContentionError);
      expect(await explorations.lock('expl_missing')).toBeNull();
    });
    await db.transact(async ({ explorations }) => {
      expect(await explorations.lock(id)).toMatchObject({ id });
    });
  });

  test('pageSummaries shows the explorations of one experiment, in the total too', () =>
    db.rollback(async ({ explorations, em }) => {
      const { id, experiment } = anExploration(em);
      anExploration(em);

      expect(await explorations.pageSummaries(experiment.id)).toMatchObject({
        data: [{ id }],
        pagination: { total: 1, limit: 50, offset: 0, hasNext: false },
      });
      expect(await explorations.pageSummaries(experiment.id, { offset: 3 })).toMatchObject({
        data: [],
        pagination: { total: 1, hasNext: false },
      });
      expect((await explorations.pageSummaries('exp_missing')).pagination.total).toBe(0);
    }));

  test('pageSummaries orders as asked, by key where values are equal, null last', () =>
    db.rollback(async ({ explorations, em }) => {
      const experiment = anExperiment(em);
      const baselineAnalysis = anAnalysisRun(em, { experiment });
      for (const [id, started, completed, best] of [
        ['b', 1, null, 0.5],
        ['d', 2, 7, null],
        ['a', 1, 7, 0.9],
        ['c', 1, 6, 0.5],
      ] as const) {
        anExploration(em, {
          id: `expl_${id}`,
          experiment,
          baselineAnalysis,
          startedAt: at(started),
          completedAt: completed === null ? null : at(completed),
          bestSuccessRate: best,
        });
      }

      const ids = async (request: Parameters<typeof explorations.pageSummaries>[1]): Promise<string> =>
        (await explorations.pageSummaries(experiment.id, request)).data.map(({ id }) => id.slice(5)).join('');

      expect(await ids({})).toBe('dcba');
      expect(await ids({ sortOrder: 'asc' })).toBe('abcd');
      expect(await ids({ sortBy: 'completedAt' })).toBe('dacb');
      expect(await ids({ sortBy: 'completedAt', sortOrder: 'asc' })).toBe('cadb');
      expect(await ids({ sortBy: 'bestSuccessRate' })).toBe('acbd');
      expect(await ids({ sortBy: 'bestSuccessRate', sortOrder: 'asc' })).toBe('bcad');
      expect(await ids({ limit: 2, offset: 1 })).toBe('cb');
    }));

  test.each([{ limit: 0 }, { limit: 201 }, { limit: Number.NaN }, { offset: -1 }, { sortBy: 'goal' }])(
    'refuses the page %o',
    (request) =>
      db.rollback(async ({ explorations }) => {
        // @ts-expect-error -- what a caller without types may send
        const page = explorations.pageSummaries('exp_1', request);
        await expect(page).rejects.toBeInstanceOf(InvalidPageError);
      }),
  );

  test('scrollSummaries walks every exploration of one experiment once, equal times and microseconds included', () =>
    db.rollback(async ({ explorations, em }) => {
      const { experiment, baselineAnalysis } = anExploration(em, { startedAt: at(0) });
      anExploration(em, { startedAt: at(0) });
      await em.flush();
      await em.execute(
        `insert into explorations (id, experiment_id, baseline_analysis_id, goal, config, started_at)
          select 'expl_' || i, ?, ?, '{}', '{}', timestamptz '2026-01-01 00:00:00Z' + (i / 3) * interval '1 microsecond'
          from generate_series(1, 20) i`,
        [experiment.id, baselineAnalysis.id],
      );

      const found = await walk((after) => explorations.scrollSummaries(experiment.id, { after, first: 3 }));
      const walked = found.map(({ id }) => id);

      const all = await em.execute<{ id: string }[]>(
        'select id from explorations where experiment_id = ? order by started_at desc, id desc',
        [experiment.id],
      );
      expect(walked).toHaveLength(21);
      expect(walked).toEqual(all.map(({ id }) => id));
    }));

  test('scrollSummaries refuses a cursor of another experiment, and limits out of range', () =>
    db.rollback(async ({ explorations, em }) => {
      const { experiment, baselineAnalysis } = anExploration(em);
      anExploration(em, { experiment, baselineAnalysis });
      const { endCursor } = (await explorations.scrollSummaries(experiment.id, { first: 1 })).pagination;

      expect(endCursor).not.toBeNull();
      for (const request of [{ after: 'nonsense' }, { after: '' }, { first: 0 }, { first: 201 }]) {
        const list = explorations.scrollSummaries(experiment.id, request);
        await expect(list).rejects.toBeInstanceOf(InvalidPageError);
      }
      const foreign = explorations.scrollSummaries('exp_other', { after: endCursor });
      await expect(foreign).rejects.toBeInstanceOf(InvalidPageError);
    }));

  test('recordLlmCalls adds to what is there, unflushed changes and loaded entities included', () =>
    db.rollback(async ({ explorations, em }) => {
      const exploration = anExploration(em, { totalLlmCalls: 3 });
      const other = anExploration(em);
      await em.flush();
      exploration.totalLlmCalls = 5;

      expect(await explorations.recordLlmCalls(exploration.id, 4)).toBe(9);

      expect(exploration).toMatchObject({ totalLlmCalls: 9, rowVersion: 3 });
      expect(await explorations.getSummary(other.id)).toMatchObject({ totalLlmCalls: 0 });
      exploration.currentDepth = 1;
      await em.flush();
      expect(await explorations.getSummary(exploration.id)).toMatchObject({
        totalLlmCalls: 9,
        currentDepth: 1,
      });
    }));

  test('a count that is no whole number, or falls below zero, is refused', async () => {
    const id = await stored();

    for (const calls of [0.5, -1, Number.NaN]) {
      const refused = db.transact(({ explorations }) => explorations.recordLlmCalls(id, calls));
      await expect(refused).rejects.toBeInstanceOf(InvalidValueError);
    }
  });

  test('counters of two units of work that overlap sum up', async () => {
    const id = await stored();

    await db.transact(async (one) => {
      await one.explorations.get(id);
      await db.transact(async (two) => {
        await two.explorations.recordLlmCalls(id, 2);
        await two.explorations.recordProgress(id, { nodes: 3, depth: 2, successRate: 0.7 });
      });
      await one.explorations.recordLlmCalls(id, 5);
      await one.explorations.recordProgress(id, { nodes: 1, depth: 1, successRate: 0.6 });
    });

    expect(await db.read(({ explorations }) => explorations.getSummary(id))).toMatchObject({
      totalLlmCalls: 7,
      totalNodes: 4,
      currentDepth: 2,
      bestSuccessRate: 0.7,
    });
  });

  test('recordProgress adds nodes, and raises depth and success rate but never lowers them', () =>
    db.rollback(async ({ explorations, em }) => {
      const exploration = anExploration(em);
      const other = anExploration(em);
      const now = (): Partial<Exploration> => ({
        totalNodes: exploration.totalNodes,
        currentDepth: exploration.currentDepth,
        bestSuccessRate: exploration.bestSuccessRate ?? null,
        rowVersion: exploration.rowVersion,
      });

      await explorations.recordProgress(exploration.id, { nodes: 2 });
      expect(now()).toEqual({ totalNodes: 2, currentDepth: 0, bestSuccessRate: null, rowVersion: 2 });
      await explorations.recordProgress(exploration.id, { nodes: 3, depth: 2, successRate: 0.5 });
      expect(now()).toEqual({ totalNodes: 5, currentDepth: 2, bestSuccessRate: 0.5, rowVersion: 3 });
      await explorations.recordProgress(exploration.id, { depth: 1, successRate: 0.4 });
      expect(now()).toEqual({ totalNodes: 5, currentDepth: 2, bestSuccessRate: 0.5, rowVersion: 3 });
      expect(await explorations.getSummary(other.id)).toMatchObject({ totalNodes: 0, currentDepth: 0 });
    }));

  test('finish ends a running exploration once; how it ended stays', () =>
    db.rollback(async ({ explorations, em }) => {
      const exploration = anExploration(em);
      const other = anExploration(em);

      expect(await explorations.finish(exploration.id, 'goal_achieved', at(5))).toBe(true);
      expect(exploration).toMatchObject({ status: 'goal_achieved', completedAt: at(5), rowVersion: 2 });
      expect(await explorations.finish(exploration.id, 'no_viable_paths', at(6))).toBe(false);
      expect(exploration).toMatchObject({ status: 'goal_achieved', completedAt: at(5), rowVersion: 2 });
      expect(await explorations.getSummary(other.id)).toMatchObject({ status: 'running', completedAt: null });
    }));

  test('of two units of work that finish an exploration one wins, and the other sees how', async () => {
    const id = await stored();

    const [second, seen] = await db.transact(async (two) => {
      const loaded = await two.explorations.get(id);
      await db.transact(({ explorations }) => explorations.finish(id, 'goal_achieved'));
      return [await two.explorations.finish(id, 'cost_limit_reached'), loaded.status];
    });

    expect([second, seen]).toEqual([false, 'goal_achieved']);
  });

  test('explorations of a deleted experiment are reached by its key, and by their own', () =>
    db.rollback(async ({ explorations, em }) => {
      const experiment = anExperiment(em, { status: 'deleted' });
      const { id } = anExploration(em, { experiment });

      expect(await explorations.getSummary(id)).toMatchObject({ id });
      expect((await explorations.pageSummaries(experiment.id)).data).toMatchObject([{ id }]);
      expect((await explorations.scrollSummaries(experiment.id)).data).toMatchObject([{ id }]);
    }));

  test('what changes an exploration by its key refuses a missing one', () =>
    db.rollback(async ({ explorations, em }) => {
      anExploration(em);
      for (const change of [
        () => explorations.recordLlmCalls('expl_missing', 1),
        () => explorations.recordProgress('expl_missing', { nodes: 1 }),
        () => explorations.finish('expl_missing', 'goal_achieved'),
      ]) {
        await expect(change()).rejects.toBeInstanceOf(NotFoundError);
      }
    }));
});

function at(second: number): Date {
  return new Date(Date.UTC(2026, 0, 1, 0, 0, second));
}
