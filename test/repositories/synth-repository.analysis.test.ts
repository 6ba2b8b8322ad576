import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InvalidPageError, TooFewRowsError } from '../../src/index.ts';
import { TestDatabase, aSynth, aSynthOutcome, anAnalysisRun, anExperiment } from '../../src/testing/index.ts';
import { observables } from './some-synths.ts';

describe('SynthRepository, of an analysis', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  test('getExtremeCases gives the best first and the worst first, by key where rates are equal', () =>
    db.rollback(async ({ synths, em }) => {
      const analysis = anAnalysisRun(em, { status: 'completed' });
      for (const [synthId, successRate] of [
        ['c', 0.5],
        ['f', 0.1],
        ['a', 0.9],
        ['e', 0.1],
        ['d', 0.5],
        ['b', 0.9],
        ['g', 0.5],
      ] as const) {
        aSynthOutcome(em, { analysis, synthId, successRate });
      }

      const { experiment } = analysis;
      expect(await synths.getExtremeCases(experiment.id, 3)).toEqual({
        top: ['a', 'b', 'c'],
        bottom: ['f', 'e', 'g'],
      });
      expect(await synths.getExtremeCases(experiment.id, 1)).toEqual({ top: ['a'], bottom: ['f'] });
    }));

  test('getExtremeCases puts no synth on both sides, and says how many are missing', () =>
    db.rollback(async ({ synths, em }) => {
      const analysis = anAnalysisRun(em, { status: 'completed' });
      const { experiment } = analysis;
      const empty = await synths.getExtremeCases(experiment.id).catch((error: unknown) => error);
      for (let i = 0; i < 9; i++) aSynthOutcome(em, { analysis });
      const nine = await synths.getExtremeCases(experiment.id).catch((error: unknown) => error);
      aSynthOutcome(em, { analysis });
      const { top, bottom } = await synths.getExtremeCases(experiment.id);

      expect(empty).toBeInstanceOf(TooFewRowsError);
      expect(empty).toMatchObject({ code: 'too_few_rows', needed: 10, found: 0 });
      expect(nine).toMatchObject({ needed: 10, found: 9 });
      expect(new Set([...top, ...bottom]).size).toBe(10);
    }));

  test("getExtremeCases and listForSimulation leave other experiments' synths out", () =>
    db.rollback(async ({ synths, em }) => {
      const [mine, other] = [
        anAnalysisRun(em, { status: 'completed' }),
        anAnalysisRun(em, { status: 'completed' }),
      ];
      for (const [analysis, id, successRate] of [
        [mine, 'a', 0.6],
        [mine, 'b', 0.5],
        [other, 'c', 1],
        [other, 'd', 0],
      ] as const) {
        aSynth(em, { id });
        aSynthOutcome(em, { analysis, synthId: id, successRate });
      }
      aSynth(em, { id: 'e' });

      expect(await synths.getExtremeCases(mine.experiment.id, 1)).toEqual({ top: ['a'], bottom: ['b'] });
      const simulated = await synths.listForSimulation(mine.experiment.id);
      expect(simulated.map(({ id }) => id)).toEqual(['a', 'b']);
    }));

  test('getExtremeCases and listForSimulation of a deleted experiment are reached by its key', () =>
    db.rollback(async ({ synths, em }) => {
      const experiment = anExperiment(em, { status: 'deleted' });
      const analysis = anAnalysisRun(em, { experiment, status: 'completed' });
      for (const [id, successRate] of [
        ['a', 0.6],
        ['b', 0.5],
      ] as const) {
        aSynthOutcome(em, { analysis, synthId: aSynth(em, { id }).id, successRate });
      }

      expect(await synths.getExtremeCases(experiment.id, 1)).toEqual({ top: ['a'], bottom: ['b'] });
      expect(await synths.listForSimulation(experiment.id)).toHaveLength(2);
    }));

  test.each(['getExtremeCases', 'listForSimulation'] as const)(
    '%s refuses an experiment without a completed run',
    (method) =>
      db.rollback(async ({ synths, em }) => {
        const { experiment } = anAnalysisRun(em, { status: 'running' });
        const bare = anExperiment(em);
        anAnalysisRun(em, { status: 'completed' });

        for (const id of [experiment.id, bare.id, 'exp_missing']) {
          await expect(synths[method](id, 1)).rejects.toMatchObject({
            code: 'not_found',
            entity: 'AnalysisRun',
            key: { experiment: id, status: 'completed' },
          });
        }
      }),
  );

  test.each(['getExtremeCases', 'listForSimulation'] as const)('%s refuses a limit out of bounds', (method) =>
    db.rollback(async ({ synths, em }) => {
      const { experiment } = anAnalysisRun(em, { status: 'completed' });

      for (const limit of [0, 201, 1.5]) {
        await expect(synths[method](experiment.id, limit)).rejects.toBeInstanceOf(InvalidPageError);
      }
    }),
  );

  test('listForSimulation gives synths with data by key, and no more than asked for', () =>
    db.rollback(async ({ synths, em }) => {
      const analysis = anAnalysisRun(em, { status: 'completed' });
      for (const id of ['d', 'c', 'b', 'a']) {
        aSynth(em, { id, data: id === 'b' ? null : {} });
        aSynthOutcome(em, { analysis, synthId: id });
      }
      aSynthOutcome(em, { analysis, synthId: 'gone' });

      const ids = async (limit?: number): Promise<string> =>
        (await synths.listForSimulation(analysis.experiment.id, limit)).map(({ id }) => id).join('');

      expect(await ids()).toBe('acd');
      expect(await ids(2)).toBe('ac');
    }));

  test('listForSimulation gives nothing for a run without synths', () =>
    db.rollback(async ({ synths, em }) => {
      const { experiment } = anAnalysisRun(em, { status: 'completed' });

      expect(await synths.listForSimulation(experiment.id)).toEqual([]);
    }));

  test('listForSimulation derives traits from what is observed', () =>
    db.rollback(async ({ synths, em }) => {
      const analysis = anAnalysisRun(em, { status: 'completed' });
      const { id } = aSynth(em, { data: { observables: { ...observables, more: 1 } } });
      aSynthOutcome(em, { analysis, synthId: id });

      expect(await synths.listForSimulation(analysis.experiment.id)).toEqual([
        {
          id,
          simulationAttributes: {
            observables,
            latent_traits: {
              capability_mean: expect.closeTo(0.4 * 0.6 + 0.35 * 0.5 + 0.15 * 0.9 + 0.1 * 0.3, 12),
              trust_mean: expect.closeTo(0.6 * 0.5 + 0.4 * 0.6, 12),
              friction_tolerance_mean: expect.closeTo(0.4 * 0.4 + 0.35 * 0.6 + 0.25 * 0.5, 12),
              exploration_prob: expect.closeTo(0.5 * 0.6 + 0.3 * (1 - 0.5) + 0.2 * 0.4, 12),
            },
          },
        },
      ]);
    }));

  test('listForSimulation derives all from the personality of a synth of before', () =>
    db.rollback(async ({ synths, em }) => {
      const analysis = anAnalysisRun(em, { status: 'completed' });
      const personality = {
        abertura: 80,
        conscienciosidade: 60,
        extroversao: 30,
        amabilidade: 71,
        neuroticismo: 11,
      };
      aSynth(em, { id: 'a', data: { psicografia: { personalidade_big_five: personality } } });
      aSynth(em, { id: 'b', data: { demografia: { idade: 42 } } });
      for (const synthId of ['a', 'b']) aSynthOutcome(em, { analysis, synthId });

      const [known, average] = await synths.listForSimulation(analysis.experiment.id);

      expect(known?.simulationAttributes).toEqual({
        observables: {
          digital_literacy: 0.74,
          similar_tool_experience: 0.5,
          motor_ability: 1,
          time_availability: 0.967,
          domain_expertise: 0.5,
        },
        latent_traits: {
          capability_mean: 0.7,
          trust_mean: 0.782,
          friction_tolerance_mean: 0.745,
          exploration_prob: 0.6,
        },
      });
      expect(average?.simulationAttributes).toEqual({
        observables: {
          digital_literacy: 0.5,
          similar_tool_experience: 0.5,
          motor_ability: 1,
          time_availability: 0.85,
          domain_expertise: 0.5,
        },
        latent_traits: {
          capability_mean: 0.5,
          trust_mean: 0.5,
          friction_tolerance_mean: 0.5,
          exploration_prob: 0.5,
        },
      });
    }));
});
