import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SynthOutcome } from '../../src/entities/index.ts';
import {
  ContentionError,
  InvalidJsonError,
  InvalidPageError,
  InvalidValueError,
  NotFoundError,
  DuplicateError,
  type UnitOfWork,
} from '../../src/index.ts';
import type { NewOutcome } from '../../src/repositories/index.ts';
import { TestDatabase, aSynthOutcome, anAnalysisRun, anExperiment } from '../../src/testing/index.ts';
import { race } from './race.ts';

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

      expect(await synthOutcomes.findForSynth(wanted.analysis.id, 'syn_1')).toBe(wanted);
      expect(await synthOutcomes.findForSynth(wanted.analysis.id, 'syn_3')).toBeNull();
      expect(await synthOutcomes.findForSynth('ana_missing', 'syn_1')).toBeNull();
    }));

  test.each(['out_01234567', 'ana_01234567_abc123', 'out_0123456789ab'])(
    'an outcome of the old key %s keeps it, with attributes and without',
    (id) =>
      db.rollback(async ({ synthOutcomes, em }) => {
        const { analysis } = aSynthOutcome(em, { id, synthAttributes: null });

        const { data } = await synthOutcomes.pageForAnalysis(analysis.id);

        expect(await synthOutcomes.listForAnalysis(analysis.id)).toMatchObject([
          { id, synthAttributes: null },
        ]);
        expect(data).toMatchObject([{ id, synthAttributes: null }]);
        expect(await synthOutcomes.get(id)).toMatchObject({ synthAttributes: null });
      }),
  );

  test('listForAnalysis gives the outcomes of one run in the order of its synths', () =>
    db.rollback(async ({ synthOutcomes, em }) => {
      const run = anAnalysisRun(em);
      aSynthOutcome(em, { synthId: 'syn_b' });
      for (const synth of ['syn_c', 'syn_a', 'syn_b']) {
        aSynthOutcome(em, { id: `out_${synth}`, analysis: run, synthId: synth });
      }
      aSynthOutcome(em, { analysis: run, synthId: 'syn_d', synthAttributes: null });

      const listed = await synthOutcomes.listForAnalysis(run.id);

      expect(listed.map(({ synthId }) => synthId)).toEqual(['syn_a', 'syn_b', 'syn_c', 'syn_d']);
      expect(listed[0]).toEqual({
        id: 'out_syn_a',
        synthId: 'syn_a',
        didNotTryRate: 0.2,
        failedRate: 0.3,
        successRate: 0.5,
        synthAttributes: { observables: expect.any(Object), latent_traits: expect.any(Object) },
      });
      expect(await synthOutcomes.listForAnalysis('ana_missing')).toEqual([]);
    }));

  test('listSummaries walks the outcomes of one run in the order of its synths, whatever comes in meanwhile', () =>
    db.rollback(async ({ synthOutcomes, em }) => {
      const run = anAnalysisRun(em);
      for (const synthId of ['d', 'b', 'a', 'c', 'e']) aSynthOutcome(em, { analysis: run, synthId });
      aSynthOutcome(em, { synthId: 'bb' });
      const whole = await synthOutcomes.listForAnalysis(run.id);

      const first = await synthOutcomes.listSummaries(run.id, { limit: 2 });
      aSynthOutcome(em, { analysis: run, synthId: 'aa' });
      const second = await synthOutcomes.listSummaries(run.id, { after: first.next, limit: 2 });
      const third = await synthOutcomes.listSummaries(run.id, { after: second.next, limit: 2 });

      expect([...first.data, ...second.data, ...third.data]).toEqual(whole);
      expect([first, second, third].map(({ data }) => data.length)).toEqual([2, 2, 1]);
      expect(third.next).toBeNull();
      expect(await synthOutcomes.listSummaries('ana_missing')).toEqual({ data: [], next: null });
    }));

  test('a stretch that holds the rest of the outcomes is the last', () =>
    db.rollback(async ({ synthOutcomes, em }) => {
      const run = anAnalysisRun(em);
      for (const synthId of ['a', 'b']) aSynthOutcome(em, { analysis: run, synthId });

      expect(await synthOutcomes.listSummaries(run.id, { limit: 2 })).toMatchObject({ next: null });
    }));

  test('listForAnalysis gives 10,000 at most', () =>
    db.rollback(async ({ synthOutcomes, em }) => {
      const { id } = anAnalysisRun(em);
      await em.flush();
      await em.execute(
        `insert into synth_outcomes (id, analysis_id, synth_id, did_not_try_rate, failed_rate, success_rate)
         select 'out_' || i, ?, 'syn_' || i, 0, 0, 1 from generate_series(1, 10001) i`,
        [id],
      );

      expect(await synthOutcomes.listForAnalysis(id)).toHaveLength(10_000);
      expect(await synthOutcomes.countForAnalysis(id)).toBe(10_001);
    }));

  test('pageForAnalysis gives the outcomes of one run by page, with the total', () =>
    db.rollback(async ({ synthOutcomes, em }) => {
      const run = anAnalysisRun(em);
      aSynthOutcome(em, { synthId: 'aa' });
      for (const synthId of ['c', 'a', 'b']) aSynthOutcome(em, { analysis: run, synthId });

      const first = await synthOutcomes.pageForAnalysis(run.id, { limit: 2 });
      const past = await synthOutcomes.pageForAnalysis(run.id, { offset: 9 });

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

  test('pageForAnalysis sorts by a rate, and by synth where rates are equal', () =>
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

      const synths = async (
        request: Parameters<typeof synthOutcomes.pageForAnalysis>[1],
      ): Promise<string> => {
        const { data } = await synthOutcomes.pageForAnalysis(run.id, request);
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
        const refused = synthOutcomes.pageForAnalysis('ana_1', request);

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

      expect(await synthOutcomes.findLatestForSynth('syn_1')).toEqual({
        id: expect.any(String),
        analysisId: 'ana_b',
        synthId: 'syn_1',
        didNotTryRate: 0.2,
        failedRate: 0.3,
        successRate: 0.5,
        synthAttributes: { observables: expect.any(Object), latent_traits: expect.any(Object) },
      });
      aSynthOutcome(em, { analysis: later, synthId: 'syn_1' });
      expect(await synthOutcomes.findLatestForSynth('syn_1')).toMatchObject({ analysisId: 'ana_b' });
      expect(await synthOutcomes.findLatestForSynth('syn_2')).toBeNull();
      for (const synth of ['syn_1', 'syn_2']) {
        expect(await synthOutcomes.findLatestForSynth(synth, { deleted: 'included' })).toMatchObject({
          analysisId: later.id,
        });
      }
      expect(await synthOutcomes.findLatestForSynth('syn_3')).toBeNull();
    }));

  test('the latest outcome is that of a run without a time where there is no other, and of no unfinished run', () =>
    db.rollback(async ({ synthOutcomes, em }) => {
      const untimed = anAnalysisRun(em, { status: 'completed' });
      aSynthOutcome(em, { analysis: untimed, synthId: 'syn_1' });
      aSynthOutcome(em, { analysis: anAnalysisRun(em, { status: 'running' }), synthId: 'syn_2' });

      expect(await synthOutcomes.findLatestForSynth('syn_1')).toMatchObject({ analysisId: untimed.id });
      expect(await synthOutcomes.findLatestForSynth('syn_2')).toBeNull();
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

      expect(await synthOutcomes.findLatestForSynth('syn_7')).toMatchObject({ id: 'out_7' });

      expect(await used()).toEqual([{ used: true }]);
    }));

  test('outcomes of a deleted experiment’s run are read by the run’s key, and by their own', () =>
    db.rollback(async ({ synthOutcomes, em }) => {
      const analysis = anAnalysisRun(em, { experiment: anExperiment(em, { status: 'deleted' }) });
      const { id, synthId } = aSynthOutcome(em, { analysis });

      expect(await synthOutcomes.find(id)).toMatchObject({ id });
      expect(await synthOutcomes.findForSynth(analysis.id, synthId)).toMatchObject({ id });
      expect(await synthOutcomes.listForAnalysis(analysis.id)).toMatchObject([{ id }]);
      expect((await synthOutcomes.pageForAnalysis(analysis.id)).pagination.total).toBe(1);
      expect(await synthOutcomes.countForAnalysis(analysis.id)).toBe(1);
      expect(await synthOutcomes.findStatistics(analysis.id)).toMatchObject({ synthCount: 1 });
    }));

  test('removeForAnalysis removes the outcomes of one run, loaded ones too, and tells how many', () =>
    db.rollback(async ({ synthOutcomes, em }) => {
      const loaded = aSynthOutcome(em);
      aSynthOutcome(em, { analysis: loaded.analysis });
      const bystander = aSynthOutcome(em);

      expect(await synthOutcomes.removeForAnalysis(loaded.analysis.id)).toBe(2);
      expect(await synthOutcomes.removeForAnalysis(loaded.analysis.id)).toBe(0);

      expect(await synthOutcomes.find(loaded.id)).toBeNull();
      expect(await em.find(SynthOutcome, { id: { $in: [loaded.id, bystander.id] } })).toEqual([bystander]);
    }));

  describe('saveAll', () => {
    test('stores every outcome as it is given, under a key of its own', () =>
      db.rollback(async ({ synthOutcomes, em }) => {
        const { id } = anAnalysisRun(em);
        const given = [
          outcome('syn_a', { didNotTryRate: 0.1 + 0.2, failedRate: 5e-324, successRate: 1 / 3 }),
          outcome('ação\t"\\N"\n😀', {
            synthAttributes: { ...attributes, note: 'tab\t quote" slash\\ ção 😀 \\N' },
          }),
          outcome('syn_c', { synthAttributes: null }),
          outcome('syn_d', { id: 'out_mine' }),
        ];

        expect(await synthOutcomes.saveAll(id, given)).toBe(4);

        const listed = await synthOutcomes.listForAnalysis(id);
        expect(new Set(listed.map((each) => each.id)).size).toBe(4);
        expect(listed.map(({ id: key }) => key.slice(0, 4))).toEqual(Array(4).fill('out_'));
        expect(listed.toSorted(bySynth)).toMatchObject(given.toSorted(bySynth));
        const nulls = await em.execute('select synth_id from synth_outcomes where synth_attributes is null');
        expect(nulls).toEqual([{ synth_id: 'syn_c' }]);
      }));

    test('stores as many as a run has', () =>
      db.rollback(async ({ synthOutcomes, em }) => {
        const { id } = anAnalysisRun(em);
        const given = Array.from({ length: 10_000 }, (_, i) => outcome(`syn_${String(i).padStart(5, '0')}`));

        await synthOutcomes.saveAll(id, given);

        const listed = await synthOutcomes.listForAnalysis(id);
        expect(listed.map(({ synthId }) => synthId)).toEqual(given.map(({ synthId }) => synthId));
        expect(listed.at(-1)).toMatchObject(given.at(-1) ?? {});
        // A second time it replaces as many, by one parameter.
        await synthOutcomes.saveAll(id, given);
        expect(await synthOutcomes.countForAnalysis(id)).toBe(10_000);
      }));

    test('replaces an outcome that is there but for its key, adds one that is not, leaves the rest', () =>
      db.rollback(async ({ synthOutcomes, em }) => {
        const old = aSynthOutcome(em, { id: 'out_old', synthId: 'syn_a' });
        aSynthOutcome(em, { id: 'out_kept', analysis: old.analysis, synthId: 'syn_b' });
        aSynthOutcome(em, { id: 'out_other', synthId: 'syn_a' });
        const run = old.analysis.id;

        expect(
          await synthOutcomes.saveAll(run, [
            outcome('syn_c'),
            outcome('syn_a', { didNotTryRate: 1, failedRate: 0, successRate: 0, synthAttributes: null }),
          ]),
        ).toBe(2);

        expect(await synthOutcomes.listForAnalysis(run)).toMatchObject([
          { id: 'out_old', didNotTryRate: 1, failedRate: 0, successRate: 0, synthAttributes: null },
          { id: 'out_kept', didNotTryRate: 0.2 },
          { synthId: 'syn_c', didNotTryRate: 0.25, synthAttributes: attributes },
        ]);
        expect(old).toMatchObject({ didNotTryRate: 1, successRate: 0, synthAttributes: null });
        expect(await synthOutcomes.get('out_other')).toMatchObject({ didNotTryRate: 0.2 });
      }));

    test('of several outcomes of one synth, the last counts', () =>
      db.rollback(async ({ synthOutcomes, em }) => {
        const { id } = anAnalysisRun(em);
        const several = [outcome('a', { failedRate: 0.1 }), outcome('b'), outcome('a', { failedRate: 0.2 })];

        for (let time = 0; time < 2; time++) {
          expect(await synthOutcomes.saveAll(id, several)).toBe(2);
          expect(await synthOutcomes.listForAnalysis(id)).toMatchObject([{ failedRate: 0.2 }, {}]);
          expect(await synthOutcomes.countForAnalysis(id)).toBe(2);
        }
      }));

    test('sees a run and outcomes that are not flushed yet, and keeps what was changed in loaded ones', () =>
      db.rollback(async ({ synthOutcomes, em }) => {
        const loaded = aSynthOutcome(em, { synthId: 'a' });
        await em.flush();
        loaded.failedRate = 0.9;

        await synthOutcomes.saveAll(loaded.analysis.id, [outcome('b')]);

        expect(await synthOutcomes.listForAnalysis(loaded.analysis.id)).toMatchObject([
          { synthId: 'a', failedRate: 0.9 },
          { synthId: 'b' },
        ]);
      }));

    test('nothing is nothing', () =>
      db.rollback(async ({ synthOutcomes }) => {
        expect(await synthOutcomes.saveAll('ana_missing', [])).toBe(0);
      }));

    test('refuses a run that is not there, and the transaction goes on', () =>
      db.rollback(async ({ synthOutcomes }) => {
        const refused = synthOutcomes.saveAll('ana_missing', [outcome('a')]);

        await expect(refused).rejects.toBeInstanceOf(NotFoundError);
        await expect(refused).rejects.toMatchObject({ entity: 'AnalysisRun', key: 'ana_missing' });
        expect(await synthOutcomes.countForAnalysis('ana_missing')).toBe(0);
      }));

    test('refuses attributes out of shape before anything is sent, and tells whose', () =>
      db.rollback(async ({ synthOutcomes, em }) => {
        const { id } = anAnalysisRun(em);
        const odd = { ...attributes, observables: { ...attributes.observables, motor_ability: 2 } };

        const refused = synthOutcomes.saveAll(id, [outcome('a'), outcome('b', { synthAttributes: odd })]);

        await expect(refused).rejects.toBeInstanceOf(InvalidJsonError);
        await expect(refused).rejects.toMatchObject({
          column: 'synth_outcomes.synth_attributes',
          issues: [{ path: [1, 'observables', 'motor_ability'] }],
        });
        expect(await synthOutcomes.countForAnalysis(id)).toBe(0);
      }));

    test.each<[string, Partial<NewOutcome>, string]>([
      ['a rate above one', { successRate: 1.5 }, 'chk_synth_outcomes_success_rate_range'],
      ['a rate that is no number', { failedRate: Number.NaN }, 'chk_synth_outcomes_failed_rate_range'],
      ['an empty key', { synthId: '' }, 'chk_synth_outcomes_synth_id_not_empty'],
    ])('leaves it to the database to refuse %s, and nothing is stored', async (_, odd, constraint) => {
      const { id } = await db.transact(async ({ em }) => anAnalysisRun(em));
      const refused = db.transact(({ synthOutcomes }) =>
        synthOutcomes.saveAll(id, [outcome('a'), outcome('b', odd)]),
      );

      await expect(refused).rejects.toBeInstanceOf(InvalidValueError);
      await expect(refused).rejects.toMatchObject({ constraint });
      expect(await db.read(({ synthOutcomes }) => synthOutcomes.countForAnalysis(id))).toBe(0);
    });

    test.each([
      ['a text', { synthId: 'nul \0' }],
      ['a document', { synthAttributes: { ...attributes, note: 'nul \0' } }],
    ])('refuses %s with a character that PostgreSQL does not store', async (_, odd) => {
      const { id } = await db.transact(async ({ em }) => anAnalysisRun(em));

      const refused = db.transact(({ synthOutcomes }) => synthOutcomes.saveAll(id, [outcome('a', odd)]));

      await expect(refused).rejects.toBeInstanceOf(InvalidValueError);
    });

    test('refuses a key that is taken by an outcome of another synth', async () => {
      const { id } = await db.transact(async ({ em }) => anAnalysisRun(em));
      await db.transact(async ({ em }) => void aSynthOutcome(em, { id: 'out_taken' }));

      const refused = db.transact(({ synthOutcomes }) =>
        synthOutcomes.saveAll(id, [outcome('a', { id: 'out_taken' })]),
      );

      await expect(refused).rejects.toBeInstanceOf(DuplicateError);
      await expect(refused).rejects.toMatchObject({ constraint: 'synth_outcomes_pkey' });
    });

    test('is taken back with the transaction, and with a savepoint', async () => {
      const { id } = await db.transact(async ({ em }) => anAnalysisRun(em));
      const fault = new Error('fault');
      const failing = async ({ synthOutcomes }: UnitOfWork): Promise<never> => {
        await synthOutcomes.saveAll(id, [outcome('a')]);
        expect(await synthOutcomes.countForAnalysis(id)).toBe(1);
        throw fault;
      };

      await expect(db.transact(failing)).rejects.toBe(fault);
      await db.transact(async (uow) => {
        await expect(uow.transact(failing)).rejects.toBe(fault);
        await uow.synthOutcomes.saveAll(id, [outcome('b')]);
      });

      const left = await db.read(({ synthOutcomes }) => synthOutcomes.listForAnalysis(id));
      expect(left.map(({ synthId }) => synthId)).toEqual(['b']);
    });

    test('two that save the same synths at once, in opposite orders, both succeed; the later one counts', async () => {
      const { id } = await db.transact(async ({ em }) => anAnalysisRun(em));
      const synths = Array.from({ length: 500 }, (_, i) => `syn_${i}`);

      const [first, second] = await race(
        db,
        async ({ synthOutcomes }) => {
          await synthOutcomes.saveAll(
            id,
            synths.map((synth) => outcome(synth, { failedRate: 0.1 })),
          );
          return synthOutcomes.listForAnalysis(id);
        },
        async ({ synthOutcomes }) => {
          await synthOutcomes.saveAll(
            id,
            synths.toReversed().map((synth) => outcome(synth, { failedRate: 0.2 })),
          );
          return synthOutcomes.listForAnalysis(id);
        },
      );

      expect(second).toEqual(first.map((each) => ({ ...each, failedRate: 0.2 })));
    });

    test('makes others that save outcomes of the same run wait, of other synths too', async () => {
      const { id } = await db.transact(async ({ em }) => anAnalysisRun(em));

      const [, seen] = await race(
        db,
        ({ synthOutcomes }) => synthOutcomes.saveAll(id, [outcome('a')]),
        async ({ synthOutcomes }) => {
          await synthOutcomes.saveAll(id, [outcome('b')]);
          return synthOutcomes.listForAnalysis(id);
        },
      );

      expect(seen.map(({ synthId }) => synthId)).toEqual(['a', 'b']);
    });

    test('an outcome that another adds meanwhile is replaced, but for its key', async () => {
      const { id } = await db.transact(async ({ em }) => anAnalysisRun(em));

      await race(
        db,
        async ({ synthOutcomes, em }) => {
          synthOutcomes.add({ ...outcome('b'), id: 'out_added', analysis: id });
          await em.flush();
        },
        ({ synthOutcomes }) =>
          synthOutcomes.saveAll(
            id,
            ['a', 'b', 'c'].map((synth) => outcome(synth, { failedRate: 0.75 })),
          ),
      );

      const left = await db.read(({ synthOutcomes }) => synthOutcomes.listForAnalysis(id));
      expect(left).toMatchObject([
        { synthId: 'a', failedRate: 0.75 },
        { id: 'out_added', synthId: 'b', failedRate: 0.75 },
        { synthId: 'c', failedRate: 0.75 },
      ]);
      expect(left).toHaveLength(3);
    });

    test('under an isolation that hides what another added meanwhile, it asks to be run again', async () => {
      const { id } = await db.transact(async ({ em }) => anAnalysisRun(em));
      let runs = 0;
      const save = async ({ synthOutcomes, em }: UnitOfWork): Promise<void> => {
        await em.execute('select 1');
        if (runs++ === 0) {
          await db.transact(
            async (other) =>
              void other.synthOutcomes.add({ ...outcome('a'), id: 'out_meanwhile', analysis: id }),
          );
        }
        await synthOutcomes.saveAll(id, [outcome('a', { failedRate: 0.75 })]);
      };

      await expect(db.transact(save, { isolation: 'repeatable read' })).rejects.toBeInstanceOf(
        ContentionError,
      );
      runs = 0;
      await db.transact(({ synthOutcomes }) => synthOutcomes.removeForAnalysis(id));
      await db.transact(save, { isolation: 'repeatable read', retries: 1 });

      expect(await db.read(({ synthOutcomes }) => synthOutcomes.listForAnalysis(id))).toMatchObject([
        { failedRate: 0.75 },
      ]);
    });
  });
});

const attributes = {
  observables: {
    digital_literacy: 0.1,
    similar_tool_experience: 0.2,
    motor_ability: 0.3,
    time_availability: 0.4,
    domain_expertise: 0.5,
  },
  latent_traits: {
    capability_mean: 0.6,
    trust_mean: 0.7,
    friction_tolerance_mean: 0.8,
    exploration_prob: 0.9,
  },
};

function outcome(synthId: string, overrides: Partial<NewOutcome> = {}): NewOutcome {
  return {
    synthId,
    didNotTryRate: 0.25,
    failedRate: 0.25,
    successRate: 0.5,
    synthAttributes: attributes,
    ...overrides,
  };
}

function bySynth(one: { synthId: string }, other: { synthId: string }): number {
  return one.synthId < other.synthId ? -1 : 1;
}

function at(second: number): Date {
  return new Date(Date.UTC(2026, 0, 1, 0, 0, second));
}
