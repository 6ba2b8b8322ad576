import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  DuplicateError,
  InvalidJsonError,
  InvalidValueError,
  NotFoundError,
  type UnitOfWork,
} from '../../src/index.ts';
import type { NewOutcome } from '../../src/repositories/index.ts';
import { TestDatabase, aSynthOutcome, anAnalysisRun } from '../../src/testing/index.ts';
import { attributes, bySynth, outcome } from './some-outcomes.ts';

describe('SynthOutcomeRepository.saveAll', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

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

      const listed = await synthOutcomes.listSummaries(id);
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

      const listed = await synthOutcomes.listSummaries(id);
      expect(listed.map(({ synthId }) => synthId)).toEqual(given.map(({ synthId }) => synthId));
      expect(listed.at(-1)).toMatchObject(given.at(-1) ?? {});
      // A second time it replaces as many, by one parameter.
      await synthOutcomes.saveAll(id, given);
      expect(await synthOutcomes.count(id)).toBe(10_000);
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

      expect(await synthOutcomes.listSummaries(run)).toMatchObject([
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
        expect(await synthOutcomes.listSummaries(id)).toMatchObject([{ failedRate: 0.2 }, {}]);
        expect(await synthOutcomes.count(id)).toBe(2);
      }
    }));

  test('sees a run and outcomes that are not flushed yet, and keeps what was changed in loaded ones', () =>
    db.rollback(async ({ synthOutcomes, em }) => {
      const loaded = aSynthOutcome(em, { synthId: 'a' });
      await em.flush();
      loaded.failedRate = 0.9;

      await synthOutcomes.saveAll(loaded.analysis.id, [outcome('b')]);

      expect(await synthOutcomes.listSummaries(loaded.analysis.id)).toMatchObject([
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
      expect(await synthOutcomes.count('ana_missing')).toBe(0);
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
      expect(await synthOutcomes.count(id)).toBe(0);
    }));

  test.each<[string, Partial<NewOutcome>, string]>([
    ['a rate above one', { successRate: 1.5 }, 'chk_synth_outcomes_success_rate_range'],
    ['an empty key', { synthId: '' }, 'chk_synth_outcomes_synth_id_not_empty'],
  ])('leaves it to the database to refuse %s, and nothing is stored', async (_, odd, constraint) => {
    const { id } = await db.transact(async ({ em }) => anAnalysisRun(em));
    const refused = db.transact(({ synthOutcomes }) =>
      synthOutcomes.saveAll(id, [outcome('a'), outcome('b', odd)]),
    );

    await expect(refused).rejects.toBeInstanceOf(InvalidValueError);
    await expect(refused).rejects.toMatchObject({ constraint });
    expect(await db.read(({ synthOutcomes }) => synthOutcomes.count(id))).toBe(0);
  });

  test.each([
    ['a text', { synthId: 'nul \0' }, InvalidValueError],
    ['a document', { synthAttributes: { ...attributes, note: 'nul \0' } }, InvalidJsonError],
  ])('refuses %s with a character that PostgreSQL does not store', async (_, odd, kind) => {
    const { id } = await db.transact(async ({ em }) => anAnalysisRun(em));

    const refused = db.transact(({ synthOutcomes }) => synthOutcomes.saveAll(id, [outcome('a', odd)]));

    await expect(refused).rejects.toBeInstanceOf(kind);
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
      expect(await synthOutcomes.count(id)).toBe(1);
      throw fault;
    };

    await expect(db.transact(failing)).rejects.toBe(fault);
    await db.transact(async (uow) => {
      await expect(uow.transact(failing)).rejects.toBe(fault);
      await uow.synthOutcomes.saveAll(id, [outcome('b')]);
    });

    const left = await db.read(({ synthOutcomes }) => synthOutcomes.listSummaries(id));
    expect(left.map(({ synthId }) => synthId)).toEqual(['b']);
  });
});
