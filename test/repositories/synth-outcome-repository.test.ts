import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SynthOutcome } from '../../src/entities.ts';
import { InvalidPageError } from '../../src/index.ts';
import { TestDatabase, aSynthOutcome, anAnalysisRun, anExperiment } from '../../src/testing/index.ts';

describe('SynthOutcomeRepository', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  test('an outcome is found by run and synth, to be changed', () =>
    db.rollback(async ({ synthOutcomes, em }) => {
      const wanted = aSynthOutcome(em, { synthId: 'syn_1' });
      aSynthOutcome(em, { synthId: 'syn_1' });
      aSynthOutcome(em, { analysis: wanted.analysis, synthId: 'syn_2' });

      expect(await synthOutcomes.findBySynth(wanted.analysis.id, 'syn_1')).toBe(wanted);
      expect(await synthOutcomes.findBySynth(wanted.analysis.id, 'syn_3')).toBeNull();
      expect(await synthOutcomes.findBySynth('ana_missing', 'syn_1')).toBeNull();
    }));

  test.each(['out_01234567', 'ana_01234567_abc123', 'out_0123456789ab'])(
    'an outcome of the old key %s keeps it, with attributes and without',
    (id) =>
      db.rollback(async ({ synthOutcomes, em }) => {
        const { analysis } = aSynthOutcome(em, { id, synthAttributes: null });

        const { data } = await synthOutcomes.pageSummaries(analysis.id);

        expect(await synthOutcomes.listSummaries(analysis.id)).toMatchObject([{ id, synthAttributes: null }]);
        expect(data).toMatchObject([{ id, synthAttributes: null }]);
        expect(await synthOutcomes.get(id)).toMatchObject({ synthAttributes: null });
      }),
  );

  test('listSummaries gives the outcomes of one run in the order of its synths', () =>
    db.rollback(async ({ synthOutcomes, em }) => {
      const run = anAnalysisRun(em);
      aSynthOutcome(em, { synthId: 'syn_b' });
      for (const synth of ['syn_c', 'syn_a', 'syn_b']) {
        aSynthOutcome(em, { id: `out_${synth}`, analysis: run, synthId: synth });
      }
      aSynthOutcome(em, { analysis: run, synthId: 'syn_d', synthAttributes: null });

      const listed = await synthOutcomes.listSummaries(run.id);

      expect(listed.map(({ synthId }) => synthId)).toEqual(['syn_a', 'syn_b', 'syn_c', 'syn_d']);
      expect(listed[0]).toEqual({
        id: 'out_syn_a',
        synthId: 'syn_a',
        didNotTryRate: 0.2,
        failedRate: 0.3,
        successRate: 0.5,
        synthAttributes: { observables: expect.any(Object), latent_traits: expect.any(Object) },
      });
      expect(await synthOutcomes.listSummaries('ana_missing')).toEqual([]);
    }));

  test('scrollSummaries walks the outcomes of one run in the order of its synths, whatever comes in meanwhile', () =>
    db.rollback(async ({ synthOutcomes, em }) => {
      const run = anAnalysisRun(em);
      for (const synthId of ['d', 'b', 'a', 'c', 'e']) aSynthOutcome(em, { analysis: run, synthId });
      aSynthOutcome(em, { synthId: 'bb' });
      const whole = await synthOutcomes.listSummaries(run.id);

      const first = await synthOutcomes.scrollSummaries(run.id, { first: 2 });
      aSynthOutcome(em, { analysis: run, synthId: 'aa' });
      const second = await synthOutcomes.scrollSummaries(run.id, {
        after: first.pagination.endCursor,
        first: 2,
      });
      const third = await synthOutcomes.scrollSummaries(run.id, {
        after: second.pagination.endCursor,
        first: 2,
      });

      expect([...first.data, ...second.data, ...third.data]).toEqual(whole);
      expect([first, second, third].map(({ data }) => data.length)).toEqual([2, 2, 1]);
      expect(third.pagination.hasNextPage).toBe(false);
      expect(await synthOutcomes.scrollSummaries('ana_missing')).toEqual({
        data: [],
        pagination: { endCursor: null, hasNextPage: false },
      });
    }));

  test('a cursor page that holds the rest of the outcomes is the last', () =>
    db.rollback(async ({ synthOutcomes, em }) => {
      const run = anAnalysisRun(em);
      for (const synthId of ['a', 'b']) aSynthOutcome(em, { analysis: run, synthId });

      expect(await synthOutcomes.scrollSummaries(run.id, { first: 2 })).toMatchObject({
        pagination: { hasNextPage: false },
      });
    }));

  test('listSummaries leaves out no outcome, however many a run has', () =>
    db.rollback(async ({ synthOutcomes, em }) => {
      const { id } = anAnalysisRun(em);
      await em.flush();
      await em.execute(
        `insert into synth_outcomes (id, analysis_id, synth_id, did_not_try_rate, failed_rate, success_rate)
         select 'out_' || i, ?, 'syn_' || i, 0, 0, 1 from generate_series(1, 10001) i`,
        [id],
      );

      expect(await synthOutcomes.listSummaries(id)).toHaveLength(10_001);
      expect(await synthOutcomes.count(id)).toBe(10_001);
    }));

  test('pageSummaries gives the outcomes of one run by page, with the total', () =>
    db.rollback(async ({ synthOutcomes, em }) => {
      const run = anAnalysisRun(em);
      aSynthOutcome(em, { synthId: 'aa' });
      for (const synthId of ['c', 'a', 'b']) aSynthOutcome(em, { analysis: run, synthId });

      const first = await synthOutcomes.pageSummaries(run.id, { limit: 2 });
      const past = await synthOutcomes.pageSummaries(run.id, { offset: 9 });

      expect(first.data.map(({ synthId }) => synthId)).toEqual(['a', 'b']);
      expect(first.data[0]).toEqual({
        id: expect.any(String),
        synthId: 'a',
        didNotTryRate: 0.2,
        failedRate: 0.3,
        successRate: 0.5,
        synthAttributes: { observables: expect.any(Object), latent_traits: expect.any(Object) },
      });
      expect(first.pagination).toEqual({ total: 3, limit: 2, offset: 0, hasNext: true });
      expect(past).toEqual({ data: [], pagination: { total: 3, limit: 50, offset: 9, hasNext: false } });
    }));

  test('pageSummaries sorts by a rate, and by synth where rates are equal', () =>
    db.rollback(async ({ synthOutcomes, em }) => {
      const run = anAnalysisRun(em);
      for (const [synthId, didNotTryRate, failedRate, successRate] of [
        ['d', 0.1, 0.4, 0.5],
        ['b', 0.3, 0.2, 0.5],
        ['a', 0.2, 0.2, 0.6],
        ['c', 0.1, 0.3, 0.5],
      ] as const) {
        aSynthOutcome(em, { analysis: run, synthId, didNotTryRate, failedRate, successRate });
      }

      const synths = async (request: Parameters<typeof synthOutcomes.pageSummaries>[1]): Promise<string> => {
        const { data } = await synthOutcomes.pageSummaries(run.id, request);
        return data.map(({ synthId }) => synthId).join('');
      };

      expect(await synths({})).toBe('abcd');
      expect(await synths({ sortOrder: 'desc' })).toBe('dcba');
      expect(await synths({ sortBy: 'successRate' })).toBe('bcda');
      expect(await synths({ sortBy: 'successRate', sortOrder: 'desc' })).toBe('adcb');
      expect(await synths({ sortBy: 'failedRate' })).toBe('abcd');
      expect(await synths({ sortBy: 'didNotTryRate' })).toBe('cdab');
      expect(await synths({ sortBy: 'successRate', limit: 2, offset: 1 })).toBe('cd');
    }));

  test.each([{ limit: 0 }, { limit: 201 }, { offset: -1 }, { sortBy: 'id' }, { sortOrder: 'sideways' }])(
    'refuses the page %o',
    (request) =>
      db.rollback(async ({ synthOutcomes }) => {
        // @ts-expect-error -- what a caller without types may send
        const refused = synthOutcomes.pageSummaries('ana_1', request);

        await expect(refused).rejects.toBeInstanceOf(InvalidPageError);
      }),
  );

  test('statistics are the means of one run; a run without outcomes has none', () =>
    db.rollback(async ({ synthOutcomes, em }) => {
      const run = anAnalysisRun(em);
      aSynthOutcome(em, { didNotTryRate: 1, failedRate: 0, successRate: 0 });
      aSynthOutcome(em, { analysis: run, didNotTryRate: 0.5, failedRate: 0.25, successRate: 0.25 });
      aSynthOutcome(em, { analysis: run, didNotTryRate: 0, failedRate: 0.25, successRate: 0.75 });

      expect(await synthOutcomes.findStatistics(run.id)).toEqual({
        averageDidNotTryRate: 0.25,
        averageFailedRate: 0.25,
        averageSuccessRate: 0.5,
        synthCount: 2,
      });
      expect(await synthOutcomes.findStatistics(anAnalysisRun(em).id)).toBeNull();
    }));

  test('the latest outcome of a synth is that of the run that was completed last', () =>
    db.rollback(async ({ synthOutcomes, em }) => {
      const deleted = anExperiment(em, { status: 'deleted' });
      for (const [id, status, completedAt] of [
        ['ana_c', 'completed', at(2)],
        ['ana_a', 'completed', at(3)],
        ['ana_b', 'completed', at(3)],
        ['ana_untimed', 'completed', null],
        ['ana_failed', 'failed', at(9)],
        ['ana_running', 'running', null],
      ] as const) {
        aSynthOutcome(em, { analysis: anAnalysisRun(em, { id, status, completedAt }), synthId: 'syn_1' });
      }
      const later = anAnalysisRun(em, { status: 'completed', completedAt: at(10), experiment: deleted });
      aSynthOutcome(em, { analysis: later, synthId: 'syn_2' });

      expect(await synthOutcomes.findLatestSummary('syn_1')).toEqual({
        id: expect.any(String),
        analysisId: 'ana_b',
        synthId: 'syn_1',
        didNotTryRate: 0.2,
        failedRate: 0.3,
        successRate: 0.5,
        synthAttributes: { observables: expect.any(Object), latent_traits: expect.any(Object) },
      });
      aSynthOutcome(em, { analysis: later, synthId: 'syn_1' });
      expect(await synthOutcomes.findLatestSummary('syn_1')).toMatchObject({ analysisId: 'ana_b' });
      expect(await synthOutcomes.findLatestSummary('syn_2')).toBeNull();
      for (const synth of ['syn_1', 'syn_2']) {
        expect(await synthOutcomes.findLatestSummary(synth, { deleted: 'included' })).toMatchObject({
          analysisId: later.id,
        });
      }
      expect(await synthOutcomes.findLatestSummary('syn_3')).toBeNull();
    }));

  test('the latest outcome is that of a run without a time where there is no other, and of no unfinished run', () =>
    db.rollback(async ({ synthOutcomes, em }) => {
      const untimed = anAnalysisRun(em, { status: 'completed' });
      aSynthOutcome(em, { analysis: untimed, synthId: 'syn_1' });
      aSynthOutcome(em, { analysis: anAnalysisRun(em, { status: 'running' }), synthId: 'syn_2' });

      expect(await synthOutcomes.findLatestSummary('syn_1')).toMatchObject({ analysisId: untimed.id });
      expect(await synthOutcomes.findLatestSummary('syn_2')).toBeNull();
    }));

  test('the latest outcome of a synth is looked up through the index on synths', () =>
    db.rollback(async ({ synthOutcomes, em }) => {
      const { id } = anAnalysisRun(em, { status: 'completed' });
      await em.flush();
      await em.execute(
        `insert into synth_outcomes (id, analysis_id, synth_id, did_not_try_rate, failed_rate, success_rate)
         select 'out_' || i, ?, 'syn_' || i, 0.2, 0.3, 0.5 from generate_series(1, 20000) i`,
        [id],
      );
      await em.execute('analyze synth_outcomes');
      const used = () =>
        em.execute(`select pg_stat_get_xact_numscans('idx_synth_outcomes_synth_id'::regclass) > 0 as used`);
      expect(await used()).toEqual([{ used: false }]);

      expect(await synthOutcomes.findLatestSummary('syn_7')).toMatchObject({ id: 'out_7' });

      expect(await used()).toEqual([{ used: true }]);
    }));

  test('outcomes of a deleted experiment’s run are read by the run’s key, and by their own', () =>
    db.rollback(async ({ synthOutcomes, em }) => {
      const analysis = anAnalysisRun(em, { experiment: anExperiment(em, { status: 'deleted' }) });
      const { id, synthId } = aSynthOutcome(em, { analysis });

      expect(await synthOutcomes.find(id)).toMatchObject({ id });
      expect(await synthOutcomes.findBySynth(analysis.id, synthId)).toMatchObject({ id });
      expect(await synthOutcomes.listSummaries(analysis.id)).toMatchObject([{ id }]);
      expect((await synthOutcomes.pageSummaries(analysis.id)).pagination.total).toBe(1);
      expect(await synthOutcomes.count(analysis.id)).toBe(1);
      expect(await synthOutcomes.findStatistics(analysis.id)).toMatchObject({ synthCount: 1 });
    }));

  test('deleteByAnalysis removes the outcomes of one run, loaded ones too, and tells how many', () =>
    db.rollback(async ({ synthOutcomes, em }) => {
      const loaded = aSynthOutcome(em);
      aSynthOutcome(em, { analysis: loaded.analysis });
      const bystander = aSynthOutcome(em);

      expect(await synthOutcomes.deleteByAnalysis(loaded.analysis.id)).toBe(2);
      expect(await synthOutcomes.deleteByAnalysis(loaded.analysis.id)).toBe(0);

      expect(await synthOutcomes.find(loaded.id)).toBeNull();
      expect(await em.find(SynthOutcome, { id: { $in: [loaded.id, bystander.id] } })).toEqual([bystander]);
    }));
});

function at(second: number): Date {
  return new Date(Date.UTC(2026, 0, 1, 0, 0, second));
}
