import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Tables } from '../../../src/entities/tables.ts';
import { InvalidValueError, NotFoundError } from '../../../src/errors.ts';
import { explorationSummaries } from '../../../src/repositories/exploration-summary.ts';
import { ReadModelReader } from '../../../src/repositories/read-model/read-model-reader.ts';
import { compiledStatement } from '../../../src/repositories/read-model/compiled-statements.ts';
import { resolveModel } from '../../../src/repositories/read-model/resolved-model.ts';
import { synthSummaries } from '../../../src/repositories/synth-summary.ts';
import { anExploration, TestDatabase } from '../../../src/testing/index.ts';
import { walk } from '../walk.ts';

const columns = {
  startedAt: 'started_at',
  completedAt: 'completed_at',
  bestSuccessRate: 'best_success_rate',
} as const;
const orders = explorationSummaries.sortKeys.flatMap((sortBy) =>
  (['asc', 'desc'] as const).flatMap((sortOrder) =>
    [1, 2, 7].map((size) => [sortBy, sortOrder, size] as const),
  ),
);

describe('a read model', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
    // Times a microsecond apart, two rows of each value, and every third row without.
    await db.transact(async ({ em }) => {
      const { experiment, baselineAnalysis } = anExploration(em, { id: 'expl_0' });
      for (let i = 1; i <= 20; i++) anExploration(em, { id: `expl_${i}`, experiment, baselineAnalysis });
      await em.flush();
      await em.execute(`
        update explorations set
          started_at = '2026-01-01 00:00:00.000001+00'::timestamptz + n / 2 * interval '1 microsecond',
          completed_at = case when n % 3 = 0 then null else '2026-01-01 00:00:00.000001+00'::timestamptz + n / 2 * interval '1 microsecond' end,
          best_success_rate = case when n % 3 = 0 then null else (n / 2) / 30.0 end
        from (select id, row_number() over (order by id) as n from explorations) numbered where numbered.id = explorations.id`);
      await em.execute(
        `insert into synths (id, nome, created_at)
          select 'syn_' || lpad(i::text, 5, '0'), 'n', '2026-01-01 00:00:00+00'::timestamptz - i % 7 * interval '1 microsecond' from generate_series(1, 1300) i`,
      );
    });
  });
  afterAll(() => db.drop());

  test.each(orders)(
    'by %s %s, %i at a time, gives each row once, as `order by` does',
    (sortBy, sortOrder, size) =>
      db.read(async ({ explorations }) => {
        const { experimentId } = await explorations.getSummary('expl_0');
        const whole = await db.orm.em
          .fork()
          .execute<{ id: string }[]>(
            `select id from explorations order by ${columns[sortBy]} ${sortOrder} nulls last, id ${sortOrder}`,
          );
        const expected = whole.map(({ id }) => id);
        const order = { sortBy, sortOrder };

        const walked = await walk((after) =>
          explorations.scrollSummaries(experimentId, { ...order, after, first: size }),
        );
        const paged: string[] = [];
        for (let offset = 0; offset < expected.length; offset += size) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other, as a pager reads them
          const { data } = await explorations.pageSummaries(experimentId, { ...order, limit: size, offset });
          paged.push(...data.map(({ id }) => id));
        }

        expect(expected).toHaveLength(21);
        expect(walked.map(({ id }) => id)).toEqual(expected);
        expect(paged).toEqual(expected);
      }),
  );

  test('a cursor continues in its own order only', () =>
    db.read(async ({ explorations }) => {
      const { experimentId } = await explorations.getSummary('expl_0');
      const { endCursor: after } = (
        await explorations.scrollSummaries(experimentId, {
          sortBy: 'completedAt',
        })
      ).pagination;

      for (const order of [{}, { sortBy: 'completedAt', sortOrder: 'asc' }] as const) {
        await expect(explorations.scrollSummaries(experimentId, { ...order, after })).rejects.toThrow(
          'the cursor is malformed or belongs to another list',
        );
      }
    }));

  test('a cursor of a row that is gone continues after its place', () =>
    db.rollback(async ({ explorations, em }) => {
      const { experimentId } = await explorations.getSummary('expl_0');
      const all = await explorations.pageSummaries(experimentId, { sortBy: 'bestSuccessRate' });
      const first = await explorations.scrollSummaries(experimentId, { sortBy: 'bestSuccessRate', first: 3 });
      await em.execute('delete from explorations where id = ?', [first.data[2]?.id]);

      const rest = await explorations.scrollSummaries(experimentId, {
        sortBy: 'bestSuccessRate',
        after: first.pagination.endCursor,
      });

      expect(rest.data).toEqual(all.data.slice(3));
    }));

  test('a page at a large offset has the rows at that offset', () =>
    db.rollback(async ({ em }) => {
      const synths = new ReadModelReader(em, synthSummaries);

      const { data, pagination } = await synths.page({ offset: 1_100, limit: 200 });

      const all = await synths.list({});
      expect(all).toHaveLength(1_300);
      expect(data).toEqual(all.slice(1_100));
      expect(pagination).toEqual({ total: 1_300, limit: 200, offset: 1_100, hasNext: false });
    }));

  test.each([
    [0, 200],
    [1_100, 199],
    [1_100, 200],
    [1_300, 5],
    [5_000, 5],
  ])('a page without a total, at %i of 1,300 and %i long, says whether more follows', (offset, limit) =>
    db.rollback(async ({ em }) => {
      const synths = new ReadModelReader(em, synthSummaries);

      const { data, pagination } = await synths.page({ offset, limit, total: 'none' });

      const { data: same, pagination: exact } = await synths.page({ offset, limit });
      expect(data).toEqual(same);
      expect(pagination).toEqual({ ...exact, total: null });
    }),
  );

  test('a page with an estimate has it from the statistics, and is exact where it ends the list', () =>
    db.rollback(async ({ em }) => {
      const synths = new ReadModelReader(em, synthSummaries);
      const totalOf = async (request: { offset: number; limit: number; text?: string }): Promise<number> =>
        (await synths.page({ ...request, total: 'estimate' })).pagination.total;
      await em.execute('analyze synths');
      await em.execute(`update pg_class set reltuples = 900 where oid = 'synths'::regclass`);

      // By the size of the table in pages, which was not changed.
      const estimate = await totalOf({ offset: 0, limit: 10 });
      expect(estimate).toBeGreaterThan(10);
      expect(estimate).toBeLessThan(1_300);
      // Seen to be more, the last page, and past the end.
      expect(await totalOf({ offset: 1_250, limit: 10 })).toBe(1_261);
      expect(await totalOf({ offset: 1_250, limit: 50 })).toBe(1_300);
      expect(await totalOf({ offset: 2_000, limit: 50 })).toBe(estimate);
      expect(await totalOf({ offset: 0, limit: 10, text: '%none%' })).toBe(0);
    }));

  test('a page of a parent that does not exist is refused with any total', () =>
    db.rollback(async ({ transcripts }) => {
      for (const total of ['exact', 'estimate', 'none'] as const) {
        await expect(transcripts.pageSummaries('exec_missing', { total })).rejects.toBeInstanceOf(
          NotFoundError,
        );
      }
    }));

  test('streams every row in order', () =>
    db.rollback(async ({ em }) => {
      const synths = new ReadModelReader(em, synthSummaries);
      const streamed = [];
      for await (const synth of synths.stream({})) streamed.push(synth);

      expect(streamed).toHaveLength(await synths.count({}));
      expect(streamed).toEqual(await synths.list({}));
    }));

  test('compiles a statement once for all values', () =>
    db.rollback(async ({ em }) => {
      const statement = (filterValues: { group?: string | null; text?: string }) =>
        compiledStatement(resolveModel(synthSummaries, em), em.getKysely<Tables>(), {
          kind: 'list',
          filterValues,
          sortBy: 'createdAt',
        });

      const ofGroup = statement({ group: 'a' });

      expect(statement({ group: 'b' })).toBe(ofGroup);
      expect(ofGroup.sql).not.toContain("'a'");
      expect(statement({ group: null }).sql).toContain('"synth_group_id" is null');
      expect(statement({}).sql).not.toContain('where');
      expect(statement({ group: 'a', text: 'x' }).sql).toContain('like');
    }));

  test('refuses a list without its parent, and an unknown choice', () =>
    db.rollback(async ({ em }) => {
      const explorations = new ReadModelReader(em, explorationSummaries);

      // @ts-expect-error -- as plain JavaScript may call it
      await expect(explorations.list({})).rejects.toBeInstanceOf(InvalidValueError);
    }));
});
