import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DuplicateError, InvalidPageError, InvalidValueError, NotFoundError } from '../../src/index.ts';
import {
  TestDatabase,
  aResearchExecution,
  anExperiment,
  anExperimentDocument,
} from '../../src/testing/index.ts';
import { walk } from './walk.ts';
import { keys } from './some-synths.ts';

describe('ResearchExecutionRepository', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  describe('reads', () => {
    test('getDetail gives all that is known of an execution, under these names and no others', () =>
      db.rollback(async ({ researchExecutions, em }) => {
        const experiment = anExperiment(em);
        const full = aResearchExecution(em, {
          experiment,
          topicName: 't',
          status: 'completed',
          synthCount: 3,
          successfulCount: 2,
          failedCount: 1,
          model: 'm',
          maxTurns: 4,
          startedAt: at(1),
          completedAt: at(2),
          additionalContext: 'c',
        });
        const bare = aResearchExecution(em, { startedAt: at(1) });

        expect(await researchExecutions.getDetail(full.id)).toEqual({
          id: full.id,
          experimentId: experiment.id,
          topicName: 't',
          status: 'completed',
          synthCount: 3,
          successfulCount: 2,
          failedCount: 1,
          model: 'm',
          maxTurns: 4,
          startedAt: at(1),
          completedAt: at(2),
          additionalContext: 'c',
          summaryAvailable: false,
          prfaqAvailable: false,
        });
        expect(await researchExecutions.getDetail(bare.id)).toEqual({
          id: bare.id,
          experimentId: null,
          topicName: 'checkout',
          status: 'pending',
          synthCount: 0,
          successfulCount: 0,
          failedCount: 0,
          model: 'gpt-4o-mini',
          maxTurns: 6,
          startedAt: at(1),
          completedAt: null,
          additionalContext: null,
          summaryAvailable: false,
          prfaqAvailable: false,
        });
        await expect(researchExecutions.getDetail('exec_missing')).rejects.toBeInstanceOf(NotFoundError);
      }));

    test('an execution has the summary and the PR-FAQ of its experiment once they are completed', () =>
      db.rollback(async ({ researchExecutions, em }) => {
        const of = (documents: [type: 'summary' | 'prfaq', status: 'completed' | 'generating'][]): string => {
          const experiment = anExperiment(em);
          for (const [documentType, status] of documents) {
            anExperimentDocument(em, { experiment, documentType, status });
          }
          return aResearchExecution(em, { experiment }).id;
        };
        const summary = of([['summary', 'completed']]);
        const prfaq = of([
          ['summary', 'generating'],
          ['prfaq', 'completed'],
        ]);
        const both = of([
          ['summary', 'completed'],
          ['prfaq', 'completed'],
        ]);
        const none = of([]);
        const alone = aResearchExecution(em).id;
        const all = [summary, prfaq, both, none, alone];

        const details = [];
        for (const id of all) details.push(await researchExecutions.getDetail(id));

        expect(details.map((detail) => [detail.summaryAvailable, detail.prfaqAvailable])).toEqual([
          [true, false],
          [false, true],
          [true, true],
          [false, false],
          [false, false],
        ]);
        expect(await researchExecutions.existsSummaryBatch([...all, 'exec_missing'])).toEqual(
          new Set([summary, both]),
        );
        expect(await researchExecutions.existsPrfaqBatch([...all, 'exec_missing'])).toEqual(
          new Set([prfaq, both]),
        );
        expect(await researchExecutions.existsSummaryBatch([both])).toEqual(new Set([both]));
      }));

    test('a summary has these fields and no others', () =>
      db.rollback(async ({ researchExecutions, em }) => {
        const experiment = anExperiment(em);
        const { id } = aResearchExecution(em, {
          experiment,
          topicName: `exp_${experiment.id}_auto`,
          status: 'failed',
          startedAt: at(1),
          completedAt: at(2),
          synthCount: 7,
        });
        const summary = {
          id,
          experimentId: experiment.id,
          topicName: `exp_${experiment.id}_auto`,
          status: 'failed',
          synthCount: 7,
          startedAt: at(1),
          completedAt: at(2),
        };

        expect((await researchExecutions.pageSummaries()).data).toEqual([summary]);
        expect((await researchExecutions.scrollSummaries()).data).toEqual([summary]);
        expect(await researchExecutions.findAutoInterviewSummary(experiment.id)).toEqual(summary);
      }));

    test('pageSummaries orders by what is asked for, and by key where that is equal', () =>
      db.rollback(async ({ researchExecutions, em }) => {
        for (const [id, second] of shuffled) {
          aResearchExecution(em, {
            id,
            startedAt: at(second),
            topicName: second === 2 ? 'A' : 'B',
            status: id === 'd' ? 'completed' : 'pending',
          });
        }

        const ids = async (request: Parameters<typeof researchExecutions.pageSummaries>[0]) =>
          keys(await researchExecutions.pageSummaries(request));

        expect(await ids({})).toBe('cdba');
        expect(await ids({ sortOrder: 'asc' })).toBe('abdc');
        expect(await ids({ sortBy: 'topicName', sortOrder: 'asc' })).toBe('cabd');
        expect(await ids({ sortBy: 'status' })).toBe('cbad');
        expect(await ids({ limit: 2, offset: 1 })).toBe('db');
        expect((await researchExecutions.pageSummaries({ limit: 3, offset: 9 })).pagination).toEqual({
          total: 4,
          limit: 3,
          offset: 9,
          hasNext: false,
        });
      }));

    test('an experiment narrows the lists, deleted or not; null to the executions of none; without, deleted ones’ are hidden', () =>
      db.rollback(async ({ researchExecutions, em }) => {
        const [mine, other] = [anExperiment(em, { status: 'deleted' }), anExperiment(em)];
        for (const [id, experiment] of [
          ['a', mine],
          ['b', other],
          ['c', mine],
          ['d', null],
        ] as const) {
          aResearchExecution(em, { id, experiment, startedAt: at(1) });
        }

        for (const [option, expected] of [
          [{}, 'db'],
          [{ deleted: 'hidden' }, 'db'],
          [{ deleted: 'included' }, 'dcba'],
          [{ experiment: mine.id }, 'ca'],
          [{ experiment: mine.id, deleted: 'hidden' }, 'ca'],
          [{ experiment: null }, 'd'],
          [{ experiment: 'exp_missing' }, ''],
        ] as const) {
          expect(keys(await researchExecutions.pageSummaries(option))).toBe(expected);
          expect((await researchExecutions.pageSummaries(option)).pagination.total).toBe(expected.length);
          expect(keys(await researchExecutions.scrollSummaries(option))).toBe(expected);
        }
      }));

    test('scrollSummaries walks every execution once, equal times and microseconds included', () =>
      db.rollback(async ({ researchExecutions, em }) => {
        await em.execute(`insert into research_executions (exec_id, topic_name, started_at)
          select 'exec_' || i, 't', timestamptz '2026-01-01 00:00:00Z' + (i / 3) * interval '1 microsecond'
          from generate_series(1, 20) i`);

        const found = await walk((after) => researchExecutions.scrollSummaries({ after, first: 3 }));
        const walked = found.map(({ id }) => id);

        const all = await em.execute<{ exec_id: string }[]>(
          'select exec_id from research_executions order by started_at desc, exec_id desc',
        );
        expect(walked).toEqual(all.map(({ exec_id }) => exec_id));
      }));

    test('the lists refuse what is out of bounds, and cursors of another experiment', () =>
      db.rollback(async ({ researchExecutions, em }) => {
        const experiment = anExperiment(em).id;
        for (const id of ['a', 'b', 'c']) aResearchExecution(em, { id, experiment, startedAt: at(1) });
        const { endCursor } = (await researchExecutions.scrollSummaries({ experiment, first: 1 })).pagination;

        expect(keys(await researchExecutions.scrollSummaries({ experiment, after: endCursor }))).toBe('ba');
        for (const refused of [
          () => researchExecutions.scrollSummaries({ after: endCursor }),
          () => researchExecutions.scrollSummaries({ experiment: null, after: endCursor }),
          async () => {
            const { endCursor: hidden } = (await researchExecutions.scrollSummaries({ first: 1 })).pagination;
            return researchExecutions.scrollSummaries({ deleted: 'included', after: hidden });
          },
          () => researchExecutions.scrollSummaries({ experiment: 'exp_other', after: endCursor }),
          () => researchExecutions.scrollSummaries({ first: 201 }),
          () => researchExecutions.pageSummaries({ offset: -1 }),
          // @ts-expect-error -- what a caller without types may send
          () => researchExecutions.pageSummaries({ sortBy: 'model' }),
        ]) {
          await expect(refused()).rejects.toBeInstanceOf(InvalidPageError);
        }
      }));

    test("findAutoInterviewSummary gives the experiment's newest, by key where times are equal", () =>
      db.rollback(async ({ researchExecutions, em }) => {
        const [mine, other] = [anExperiment(em, { id: 'exp_1' }), anExperiment(em, { id: 'exp_2' })];
        for (const [id, second] of shuffled) {
          const topicName = 'exp_exp_1_auto';
          aResearchExecution(em, { id, experiment: mine, topicName, startedAt: at(second) });
          aResearchExecution(em, { id: `${id}2`, experiment: mine, topicName, startedAt: at(second) });
        }
        aResearchExecution(em, { experiment: mine, topicName: 'exp_exp_1', startedAt: at(9) });
        aResearchExecution(em, { experiment: mine, topicName: 'not exp_exp_1_auto', startedAt: at(9) });
        aResearchExecution(em, { experiment: other, topicName: 'exp_exp_1_auto', startedAt: at(9) });
        aResearchExecution(em, { topicName: 'exp_exp_1_auto', startedAt: at(9) });

        expect((await researchExecutions.findAutoInterviewSummary('exp_1'))?.id).toBe('c2');
        expect(await researchExecutions.findAutoInterviewSummary('exp_2')).toBeNull();
        const more = aResearchExecution(em, {
          experiment: mine,
          topicName: 'exp_exp_1_auto_2',
          startedAt: at(8),
        });
        expect((await researchExecutions.findAutoInterviewSummary('exp_1'))?.id).toBe(more.id);
      }));

    test.each([
      ['exp_1', 'exp_exp_1Xauto'],
      ['exp_1', 'expXexp_1_auto'],
      ['exp%', 'exp_exp_1_auto'],
      ['exp\\', 'exp_exp_auto'],
    ])('findAutoInterviewSummary of "%s" takes each character for itself: "%s" is none', (id, topicName) =>
      db.rollback(async ({ researchExecutions, em }) => {
        const experiment = anExperiment(em, { id });
        aResearchExecution(em, { experiment, topicName });

        expect(await researchExecutions.findAutoInterviewSummary(id)).toBeNull();
        aResearchExecution(em, { id: 'found', experiment, topicName: `exp_${id}_auto` });
        expect(await researchExecutions.findAutoInterviewSummary(id)).toMatchObject({ id: 'found' });
      }),
    );

    test('an additional context exists when it is neither absent nor empty', () =>
      db.rollback(async ({ researchExecutions, em }) => {
        for (const [id, additionalContext] of [
          ['c', null],
          ['a', 'context'],
          ['b', ''],
          ['d', 'not asked for'],
        ] as const) {
          aResearchExecution(em, { id, additionalContext });
        }
        const asked = ['c', 'b', 'a', 'missing', 'a'];

        expect(await researchExecutions.existsAdditionalContextBatch(asked)).toEqual(new Set(['a']));
        expect([...(await researchExecutions.findAdditionalContextBatch(asked))]).toEqual([
          ['a', 'context'],
          ['b', ''],
          ['c', null],
        ]);
      }));

    test('nothing asked for in a batch is nothing found', () =>
      db.rollback(async ({ researchExecutions, em }) => {
        const experiment = anExperiment(em);
        anExperimentDocument(em, { experiment });
        aResearchExecution(em, { experiment, additionalContext: 'c' });

        expect(await researchExecutions.existsSummaryBatch([])).toEqual(new Set());
        expect(await researchExecutions.existsPrfaqBatch([])).toEqual(new Set());
        expect(await researchExecutions.existsAdditionalContextBatch([])).toEqual(new Set());
        expect(await researchExecutions.findAdditionalContextBatch([])).toEqual(new Map());
      }));

    test('a batch may be larger than what a statement has parameters', () =>
      db.rollback(async ({ researchExecutions, em }) => {
        aResearchExecution(em, { id: 'a', additionalContext: 'c' });
        const many = Array.from({ length: 70_000 }, (_, i) => `exec_${i}`);

        expect(await researchExecutions.existsAdditionalContextBatch([...many, 'a'])).toEqual(new Set(['a']));
      }));
  });

  describe('writes', () => {
    test('add starts an execution now, unless it says otherwise', () =>
      db.rollback(async (uow) => {
        const before = Date.now();
        const now = uow.researchExecutions.add({ topicName: 't', synthCount: 5 });
        const then = uow.researchExecutions.add({ topicName: 't', startedAt: at(1), status: 'running' });

        expect(await uow.researchExecutions.getDetail(now.id)).toMatchObject({
          topicName: 't',
          status: 'pending',
          synthCount: 5,
          model: 'gpt-4o-mini',
          maxTurns: 6,
        });
        expect(now.startedAt.getTime()).toBeGreaterThanOrEqual(before);
        expect(await uow.researchExecutions.getDetail(then.id)).toMatchObject({
          status: 'running',
          startedAt: at(1),
        });
      }));

    test('add refuses a key that exists', async () => {
      await using own = await TestDatabase.create();
      const add = () =>
        own.transact(async ({ researchExecutions }) => {
          researchExecutions.add({ id: 'batch_checkout_20260101_120000', topicName: 't' });
        });

      await add();

      await expect(add()).rejects.toBeInstanceOf(DuplicateError);
      await expect(add()).rejects.toMatchObject({ constraint: 'research_executions_pkey' });
    });

    test('saveStatus completes at the end, and at no other status', () =>
      db.rollback(async ({ researchExecutions, em }) => {
        const execution = aResearchExecution(em);
        const other = aResearchExecution(em);

        for (const [status, completedAt] of [
          ['running', null],
          ['generating_summary', null],
          ['completed', expect.any(Date)],
          ['running', null],
          ['failed', expect.any(Date)],
        ] as const) {
          await researchExecutions.saveStatus(execution.id, status);
          expect(execution).toMatchObject({ status, completedAt });
          expect(await researchExecutions.getDetail(execution.id)).toMatchObject({ status, completedAt });
        }
        expect(await researchExecutions.getDetail(other.id)).toMatchObject({ status: 'pending' });
      }));

    test('saveStatus replaces the counts that are given, and leaves the others', () =>
      db.rollback(async ({ researchExecutions, em }) => {
        const { id } = aResearchExecution(em, { successfulCount: 3, failedCount: 2 });

        await researchExecutions.saveStatus(id, 'running', { successfulCount: undefined });
        expect(await researchExecutions.getDetail(id)).toMatchObject({ successfulCount: 3, failedCount: 2 });
        await researchExecutions.saveStatus(id, 'running', { successfulCount: 0 });
        expect(await researchExecutions.getDetail(id)).toMatchObject({ successfulCount: 0, failedCount: 2 });
        await researchExecutions.saveStatus(id, 'completed', { successfulCount: 4, failedCount: 1 });
        expect(await researchExecutions.getDetail(id)).toMatchObject({ successfulCount: 4, failedCount: 1 });
      }));

    test('saveStatus keeps what waits to be written of other columns', () =>
      db.rollback(async ({ researchExecutions, em }) => {
        const execution = aResearchExecution(em);
        execution.additionalContext = 'staged';

        await researchExecutions.saveStatus(execution.id, 'running');

        expect(execution).toMatchObject({ status: 'running', additionalContext: 'staged' });
      }));

    test('recordInterviews adds to what was counted, and to no other execution', () =>
      db.rollback(async ({ researchExecutions, em }) => {
        const execution = aResearchExecution(em, { successfulCount: 1, failedCount: 1 });
        const other = aResearchExecution(em);
        execution.failedCount = 5;

        await researchExecutions.recordInterviews(execution.id, { successful: 2 });
        await researchExecutions.recordInterviews(execution.id, { failed: 1, successful: undefined });

        expect(execution).toMatchObject({ successfulCount: 3, failedCount: 6 });
        expect(await researchExecutions.getDetail(other.id)).toMatchObject({
          successfulCount: 0,
          failedCount: 0,
        });
      }));

    test('interviews that end at once are all counted', async () => {
      await using own = await TestDatabase.create();
      const { id } = await own.transact(async ({ em }) => aResearchExecution(em));

      await Promise.all(
        Array.from({ length: 30 }, (_, i) =>
          own.transact(async ({ researchExecutions }) => {
            await researchExecutions.get(id);
            await researchExecutions.recordInterviews(id, i % 3 === 0 ? { failed: 1 } : { successful: 1 });
          }),
        ),
      );

      const counted = await own.read(({ researchExecutions }) => researchExecutions.getDetail(id));
      expect(counted).toMatchObject({ successfulCount: 20, failedCount: 10 });
    });

    test('saveStatus and recordInterviews refuse an execution that does not exist', () =>
      db.rollback(async ({ researchExecutions, em }) => {
        aResearchExecution(em);

        await expect(researchExecutions.saveStatus('exec_missing', 'running')).rejects.toBeInstanceOf(
          NotFoundError,
        );
        await expect(
          researchExecutions.recordInterviews('exec_missing', { failed: 1 }),
        ).rejects.toBeInstanceOf(NotFoundError);
      }));

    test('a count below zero is an invalid value', async () => {
      await using own = await TestDatabase.create();
      const { id } = await own.transact(async ({ em }) => aResearchExecution(em));

      const recorded = own.transact(({ researchExecutions }) =>
        researchExecutions.recordInterviews(id, { failed: -1 }),
      );

      await expect(recorded).rejects.toBeInstanceOf(InvalidValueError);
      await expect(recorded).rejects.toMatchObject({
        constraint: 'chk_research_executions_failed_count_range',
      });
    });

    test('lockNextPending gives each worker another of the pending ones, the longest waiting first', async () => {
      await using own = await TestDatabase.create();
      await own.transact(async ({ em }) => {
        for (const [id, second] of shuffled) aResearchExecution(em, { id, startedAt: at(second) });
        aResearchExecution(em, { id: 'running', startedAt: at(0), status: 'running' });
      });

      const locked: (string | undefined)[] = [];
      const lockAndGoOn = (more: number): Promise<void> =>
        own.transact(async ({ researchExecutions }) => {
          locked.push((await researchExecutions.lockNextPending())?.id);
          if (more > 0) await lockAndGoOn(more - 1);
        });
      await lockAndGoOn(4);

      expect(locked).toEqual(['a', 'b', 'd', 'c', undefined]);
    });

    test('lockNextPending passes over executions of deleted experiments, and holds no experiment', async () => {
      await using own = await TestDatabase.create();
      const experiment = await own.transact(async ({ em }) => {
        aResearchExecution(em, { experiment: anExperiment(em, { status: 'deleted' }), startedAt: at(1) });
        aResearchExecution(em, { id: 'none', startedAt: at(3) });
        const active = anExperiment(em);
        aResearchExecution(em, { id: 'active', experiment: active, startedAt: at(2) });
        return active.id;
      });

      await own.transact(async ({ researchExecutions }) => {
        for (const id of ['active', 'none']) {
          const locked = await researchExecutions.lockNextPending();
          expect(locked?.id).toBe(id);
          if (locked) locked.status = 'running';
        }
        expect(await researchExecutions.lockNextPending()).toBeNull();
        await own.transact(async ({ experiments, em }) => {
          await em.execute(`set local lock_timeout = '1s'`);
          await experiments.update(experiment, { name: 'edited meanwhile' });
        });
      });
    });

    test('executions of a deleted experiment are read by their own keys', () =>
      db.rollback(async ({ researchExecutions, transcripts, em }) => {
        const experiment = anExperiment(em, { status: 'deleted' });
        anExperimentDocument(em, { experiment });
        const { id } = aResearchExecution(em, { experiment, additionalContext: 'c' });

        expect(await researchExecutions.find(id)).toMatchObject({ id });
        expect(await researchExecutions.getDetail(id)).toMatchObject({ id, summaryAvailable: true });
        expect(await researchExecutions.existsSummaryBatch([id])).toEqual(new Set([id]));
        expect(await researchExecutions.existsAdditionalContextBatch([id])).toEqual(new Set([id]));
        expect((await transcripts.pageSummaries(id)).pagination.total).toBe(0);
      }));

    test('lockNextPending sees what is staged, and what others changed since it was loaded', async () => {
      await using own = await TestDatabase.create();
      await own.transact(async ({ em }) => void aResearchExecution(em, { id: 'a', startedAt: at(1) }));

      await own.transact(async ({ researchExecutions, em }) => {
        const loaded = await researchExecutions.get('a');
        await own.transact(async (other) => {
          (await other.researchExecutions.get('a')).additionalContext = 'newer';
        });

        const locked = await researchExecutions.lockNextPending();
        expect(locked).toBe(loaded);
        expect(loaded.additionalContext).toBe('newer');
        loaded.status = 'running';
        expect(await researchExecutions.lockNextPending()).toBeNull();
        const staged = aResearchExecution(em);
        expect(await researchExecutions.lockNextPending()).toBe(staged);
      });
    });
  });
});

// Keys and seconds in an order that is neither that of the keys nor that of the times.
const shuffled = [
  ['b', 1],
  ['c', 2],
  ['a', 1],
  ['d', 1],
] as const;

function at(second: number): Date {
  return new Date(Date.UTC(2026, 0, 1, 0, 0, second));
}
