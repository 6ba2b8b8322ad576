import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InvalidPageError, NotFoundError } from '../../src/index.ts';
import {
  TestDatabase,
  aResearchExecution,
  anAnalysisRun,
  anExperiment,
  anInterviewGuide,
} from '../../src/testing/index.ts';
import { walk } from './walk.ts';

describe('ExperimentRepository', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  test('a deleted experiment is hidden from find and get, unless asked for', () =>
    db.rollback(async ({ experiments, em }) => {
      const { id } = anExperiment(em, { status: 'deleted' });

      expect(await experiments.find(id)).toBeNull();
      await expect(experiments.get(id)).rejects.toBeInstanceOf(NotFoundError);
      expect(await experiments.get(id, { deleted: 'included' })).toMatchObject({ id });
    }));

  test('getSummary shows what lists show, and hides a deleted experiment', () =>
    db.rollback(async ({ experiments, em }) => {
      const { id } = anExperiment(em, { scorecardData: null });
      const deleted = anExperiment(em, { status: 'deleted' });

      expect(await experiments.getSummary(id)).toEqual((await experiments.pageSummaries()).data[0]);
      await expect(experiments.getSummary(deleted.id)).rejects.toBeInstanceOf(NotFoundError);
      expect(await experiments.getSummary(deleted.id, { deleted: 'included' })).toMatchObject({
        id: deleted.id,
      });
      await expect(experiments.getSummary('exp_missing')).rejects.toBeInstanceOf(NotFoundError);
    }));

  test('pageSummaries tells what each experiment has', () =>
    db.rollback(async ({ experiments, em }) => {
      const bare = anExperiment(em, { createdAt: at(1) });
      const full = anExperiment(em, { createdAt: at(2), description: 'd' });
      anAnalysisRun(em, { experiment: full });
      anInterviewGuide(em, { experiment: full });
      aResearchExecution(em, { experiment: full });
      aResearchExecution(em, { experiment: full });
      await experiments.saveScorecard(full.id, scorecard);

      const { data, pagination } = await experiments.pageSummaries();

      expect(pagination).toEqual({ total: 2, limit: 50, offset: 0, hasNext: false });
      expect(data).toMatchObject([
        {
          id: full.id,
          hasScorecard: true,
          hasAnalysis: true,
          hasInterviewGuide: true,
          interviewCount: 2,
          createdAt: at(2),
        },
        {
          id: bare.id,
          hasScorecard: false,
          hasAnalysis: false,
          hasInterviewGuide: false,
          interviewCount: 0,
          updatedAt: null,
        },
      ]);
    }));

  test('pageSummaries leaves out deleted experiments, in the total too', () =>
    db.rollback(async ({ experiments, em }) => {
      const active = anExperiment(em);
      const deleted = anExperiment(em, { status: 'deleted' });

      const hidden = await experiments.pageSummaries();
      const included = await experiments.pageSummaries({ deleted: 'included' });

      expect(hidden.data.map(({ id }) => id)).toEqual([active.id]);
      expect(hidden.pagination.total).toBe(1);
      expect(included.data.map(({ id }) => id).toSorted()).toEqual([active.id, deleted.id].toSorted());
    }));

  test('scrollSummaries walks past deleted experiments, or with them, each by cursors of its own', () =>
    db.rollback(async ({ experiments, em }) => {
      for (const [id, status] of [
        ['a', 'active'],
        ['b', 'deleted'],
        ['c', 'active'],
        ['d', 'deleted'],
      ] as const) {
        anExperiment(em, { id: `exp_${id}`, status, createdAt: at(1) });
      }
      const walked = async (deleted: 'hidden' | 'included' | undefined): Promise<string> => {
        const found = await walk((after) => experiments.scrollSummaries({ deleted, after, first: 1 }));
        return found.map(({ id }) => id.slice(4)).join('');
      };

      expect(await walked(undefined)).toBe('ca');
      expect(await walked('hidden')).toBe('ca');
      expect(await walked('included')).toBe('dcba');
      const { endCursor } = (await experiments.scrollSummaries({ first: 1 })).pagination;
      await expect(
        experiments.scrollSummaries({ deleted: 'included', after: endCursor }),
      ).rejects.toBeInstanceOf(InvalidPageError);
    }));

  test('pageSummaries orders newest first, and by key where times are equal', () =>
    db.rollback(async ({ experiments, em }) => {
      for (const [id, second] of [
        ['b', 1],
        ['c', 2],
        ['a', 1],
        ['d', 1],
      ] as const) {
        anExperiment(em, { id: `exp_${id}`, createdAt: at(second) });
      }

      const ids = async (request: Parameters<typeof experiments.pageSummaries>[0]): Promise<string> =>
        (await experiments.pageSummaries(request)).data.map(({ id }) => id.slice(4)).join('');

      expect(await ids({})).toBe('cdba');
      expect(await ids({ sortOrder: 'asc' })).toBe('abdc');
      expect(await ids({ limit: 2, offset: 1 })).toBe('db');
    }));

  test('a page past the end is empty and tells the total', () =>
    db.rollback(async ({ experiments, em }) => {
      anExperiment(em);

      expect(await experiments.pageSummaries({ offset: 5 })).toEqual({
        data: [],
        pagination: { total: 1, limit: 50, offset: 5, hasNext: false },
      });
    }));

  test.each([
    { limit: 0 },
    { limit: -1 },
    { limit: 201 },
    { limit: 1e9 },
    { limit: Number.NaN },
    { offset: -1 },
    { offset: 0.5 },
    { offset: Number.POSITIVE_INFINITY },
    { sortBy: 'id; drop table experiments' },
    { sortOrder: 'sideways' },
  ])('refuses the page %o', (request) =>
    db.rollback(async ({ experiments }) => {
      // @ts-expect-error -- what a caller without types may send
      await expect(experiments.pageSummaries(request)).rejects.toBeInstanceOf(InvalidPageError);
    }),
  );

  test('scrollSummaries walks every row once, equal times and microseconds included', () =>
    db.rollback(async ({ experiments, em }) => {
      await em.execute(`insert into experiments (id, name, hypothesis, created_at)
        select 'exp_' || i, 'n', 'h', timestamptz '2026-01-01 00:00:00Z' + (i / 3) * interval '1 microsecond'
        from generate_series(1, 20) i`);

      const found = await walk((after) => experiments.scrollSummaries({ after, first: 3 }));
      const walked = found.map(({ id }) => id);

      const all = await em.execute<{ id: string }[]>(
        'select id from experiments order by created_at desc, id desc',
      );
      expect(walked).toEqual(all.map(({ id }) => id));
    }));

  test.each(['', 'nonsense', Buffer.from('["x","y","z"]').toString('base64url')])(
    'refuses the cursor "%s"',
    (after) =>
      db.rollback(async ({ experiments }) => {
        await expect(experiments.scrollSummaries({ after })).rejects.toBeInstanceOf(InvalidPageError);
      }),
  );

  test('update changes what is given, leaves what is absent, clears what is null', () =>
    db.rollback(async ({ experiments, em }) => {
      const { id } = anExperiment(em, { name: 'old', hypothesis: 'kept', description: 'gone' });

      await experiments.update(id, { name: 'new', hypothesis: undefined, description: null });

      const { data } = await experiments.pageSummaries();
      expect(data).toMatchObject([
        { name: 'new', hypothesis: 'kept', description: null, updatedAt: expect.any(Date) },
      ]);
    }));

  test('saveScorecard replaces and clears it, in loaded entities too', () =>
    db.rollback(async ({ experiments, em }) => {
      const experiment = anExperiment(em, { scorecardData: null });

      await experiments.saveScorecard(experiment.id, scorecard);
      expect(experiment).toMatchObject({ scorecardData: scorecard, rowVersion: 2 });
      await experiments.saveScorecard(experiment.id, null);
      expect(experiment.scorecardData).toBeNull();
    }));

  test('restore leaves an experiment alone that is not deleted', () =>
    db.rollback(async ({ experiments, em }) => {
      const { id } = anExperiment(em);

      await experiments.restore(id);

      expect(await experiments.get(id)).toMatchObject({ rowVersion: 1 });
      expect((await experiments.getSummary(id)).updatedAt).toBeNull();
      await expect(experiments.restore('exp_missing')).rejects.toBeInstanceOf(NotFoundError);
    }));

  test('softDelete hides, restore brings back', () =>
    db.rollback(async ({ experiments, em }) => {
      const { id } = anExperiment(em);

      await experiments.softDelete(id);
      expect(await experiments.find(id)).toBeNull();
      await experiments.restore(id);
      expect(await experiments.find(id)).toMatchObject({ id, status: 'active' });
    }));

  test.each([
    [
      'update',
      (e: string, x: Parameters<Parameters<TestDatabase['rollback']>[0]>[0]) =>
        x.experiments.update(e, { name: 'n' }),
    ],
    [
      'saveScorecard',
      (e: string, x: Parameters<Parameters<TestDatabase['rollback']>[0]>[0]) =>
        x.experiments.saveScorecard(e, scorecard),
    ],
    [
      'softDelete',
      (e: string, x: Parameters<Parameters<TestDatabase['rollback']>[0]>[0]) => x.experiments.softDelete(e),
    ],
  ] as const)('%s refuses a missing and a deleted experiment', (_, change) =>
    db.rollback(async (uow) => {
      const { id } = anExperiment(uow.em, { status: 'deleted' });

      await expect(change(id, uow)).rejects.toBeInstanceOf(NotFoundError);
      await expect(change('exp_missing', uow)).rejects.toBeInstanceOf(NotFoundError);
    }),
  );
});

const dimension = { score: 0.5 };
const scorecard = {
  feature_name: 'One tap',
  description_text: 'Pay with one tap',
  complexity: dimension,
  initial_effort: dimension,
  perceived_risk: dimension,
  time_to_value: dimension,
};

function at(second: number): Date {
  return new Date(Date.UTC(2026, 0, 1, 0, 0, second));
}
