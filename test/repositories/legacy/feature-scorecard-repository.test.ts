import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InvalidPageError, NotFoundError, type UnitOfWork } from '../../../src/index.ts';
import { FeatureScorecardRepository } from '../../../src/repositories/index.ts';
import { TestDatabase, aFeatureScorecard, anExperiment } from '../../../src/testing/index.ts';
import { walk } from '../walk.ts';

describe('FeatureScorecardRepository', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  test('offers nothing that writes', () =>
    db.rollback(async ({ featureScorecards }) => {
      const offered = Object.getOwnPropertyNames(FeatureScorecardRepository.prototype).toSorted();

      expect(offered).toEqual(['constructor', 'count', 'findRow', 'getRow', 'page', 'scroll', 'stream']);
      expect(featureScorecards).not.toHaveProperty('add');
      expect(featureScorecards).not.toHaveProperty('remove');
      expect(featureScorecards).not.toHaveProperty('em');
    }));

  test('find and get give the scorecard with that key, and what it declares', () =>
    db.rollback(async ({ featureScorecards, em }) => {
      const experiment = anExperiment(em);
      aFeatureScorecard(em);
      const { id, data } = aFeatureScorecard(em, { experiment, createdAt: at(1), updatedAt: at(2) });

      const scorecard = {
        id,
        experimentId: experiment.id,
        data,
        createdAt: at(1),
        updatedAt: at(2),
      };
      expect(await featureScorecards.findRow(id)).toEqual(scorecard);
      expect(await featureScorecards.getRow(id)).toEqual(scorecard);
      expect(await featureScorecards.findRow('missing')).toBeNull();
      await expect(featureScorecards.getRow('missing')).rejects.toBeInstanceOf(NotFoundError);
    }));

  test('what it gives is no entity: a change to it is not written', async () => {
    const id = await db.transact(async ({ em }) => aFeatureScorecard(em).id);

    await db.transact(async ({ featureScorecards }) => {
      const { data } = await featureScorecards.getRow(id);
      data.description_text = 'changed';
    });

    expect(await db.read((uow) => uow.featureScorecards.getRow(id))).toMatchObject({
      data: { description_text: 'Checkout in one step.' },
      experimentId: null,
      updatedAt: null,
    });
    await db.transact(({ em }) => em.execute('delete from feature_scorecards'));
  });

  test('page orders newest first, then by key, and counts all', () =>
    db.rollback(async ({ featureScorecards, em }) => {
      for (const [id, second] of [
        ['b', 1],
        ['c', 2],
        ['a', 1],
        ['d', 1],
      ] as const) {
        aFeatureScorecard(em, { id, createdAt: at(second) });
      }
      const ids = async (request: Request): Promise<string> =>
        (await featureScorecards.page(request)).data.map(({ id }) => id).join('');

      expect(await ids({})).toBe('cdba');
      expect(await ids({ sortOrder: 'asc' })).toBe('abdc');
      expect(await ids({ limit: 2, offset: 1 })).toBe('db');
      expect((await featureScorecards.page({ limit: 3 })).pagination).toEqual({
        total: 4,
        limit: 3,
        offset: 0,
        hasNext: true,
      });
      expect(await featureScorecards.page({ offset: 9 })).toEqual({
        data: [],
        pagination: { total: 4, limit: 50, offset: 9, hasNext: false },
      });
    }));

  test('page and count take those of one experiment, deleted or not, or all but those of deleted ones', () =>
    db.rollback(async ({ featureScorecards, em }) => {
      const experiment = anExperiment(em, { status: 'deleted' });
      const { id } = aFeatureScorecard(em, { experiment });
      aFeatureScorecard(em, { experiment: anExperiment(em) });
      aFeatureScorecard(em);

      const ofOne = await featureScorecards.page({ experimentId: experiment.id });

      expect(ofOne.data).toMatchObject([{ id }]);
      expect(ofOne.pagination.total).toBe(1);
      expect(await featureScorecards.count({ experimentId: experiment.id })).toBe(1);
      expect(await featureScorecards.count({ experimentId: 'exp_missing' })).toBe(0);
      expect(await featureScorecards.count({ experimentId: undefined })).toBe(2);
      expect(await featureScorecards.count()).toBe(2);
      expect((await featureScorecards.page()).data).toHaveLength(2);
      expect(await featureScorecards.count({ deleted: 'included' })).toBe(3);
      expect((await featureScorecards.page({ deleted: 'included' })).data).toHaveLength(3);
      expect(await featureScorecards.findRow(id)).toMatchObject({ id });
    }));

  test('scroll walks every scorecard once, newest first, equal times and microseconds included, whatever comes in meanwhile', () =>
    db.rollback(async ({ featureScorecards, em }) => {
      const { data } = aFeatureScorecard(em, { id: 'card_0', createdAt: at(-1) });
      await em.flush();
      await em.execute(
        `insert into feature_scorecards (id, data, created_at)
          select 'card_' || i, ?::jsonb, timestamptz '2026-01-01 00:00:00Z' + (i / 3) * interval '1 microsecond'
          from generate_series(1, 20) i`,
        [JSON.stringify(data)],
      );
      const all = await em.execute<{ id: string }[]>(
        'select id from feature_scorecards order by created_at desc, id desc',
      );

      const found = await walk(async (after) => {
        const page = await featureScorecards.scroll({ after, first: 3 });
        aFeatureScorecard(em, { createdAt: at(9) });
        return page;
      });
      const walked = found.map(({ id }) => id);

      expect(all).toHaveLength(21);
      expect(walked).toEqual(all.map(({ id }) => id));
    }));

  test('scroll takes those of one experiment, or all, and a cursor of one goes on in no other', () =>
    db.rollback(async ({ featureScorecards, em }) => {
      const experiment = anExperiment(em);
      const { id } = aFeatureScorecard(em, { experiment, createdAt: at(1) });
      aFeatureScorecard(em, { experiment, createdAt: at(2) });
      aFeatureScorecard(em, { createdAt: at(3) });
      const experimentId = experiment.id;

      const { endCursor: after } = (await featureScorecards.scroll({ experimentId, first: 1 })).pagination;
      const rest = await featureScorecards.scroll({ experimentId, after });

      expect(rest).toMatchObject({ data: [{ id }], pagination: { hasNextPage: false } });
      expect((await featureScorecards.scroll({ experimentId: undefined })).data).toHaveLength(3);
      expect(rest.data).toEqual([await featureScorecards.getRow(id)]);
      await expect(featureScorecards.scroll({ after })).rejects.toBeInstanceOf(InvalidPageError);
      const other = featureScorecards.scroll({ experimentId: 'exp_other', after });
      await expect(other).rejects.toBeInstanceOf(InvalidPageError);
    }));

  test.each([{ limit: 0 }, { offset: -1 }, { sortBy: 'data' }])('refuses the page %o', (request) =>
    db.rollback(async ({ featureScorecards }) => {
      // @ts-expect-error -- what a caller without types may send
      await expect(featureScorecards.page(request)).rejects.toBeInstanceOf(InvalidPageError);
    }),
  );
});

type Request = Parameters<UnitOfWork['featureScorecards']['page']>[0];

function at(second: number): Date {
  return new Date(Date.UTC(2026, 0, 1, 0, 0, second));
}
