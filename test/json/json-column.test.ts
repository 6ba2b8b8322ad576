import type { EntityManager } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  Experiment,
  ExperimentDocument,
  ScenarioNode,
  type Scorecard,
  Synth,
  SynthOutcome,
} from '../../src/entities.ts';
import {
  TestDatabase,
  aRegionAnalysis,
  aScenarioNode,
  aSensitivityResult,
  aSynth,
  aSynthOutcome,
  aTranscript,
  anAnalysisRun,
  anExperiment,
  anExperimentDocument,
} from '../../src/testing/index.ts';

let db: TestDatabase;
beforeAll(async () => void (db = await TestDatabase.create()));
afterAll(() => db.drop());

/** What a column holds, as PostgreSQL prints it. */
async function raw(em: EntityManager, table: string, column: string): Promise<string | null> {
  const [row] = await em.execute<{ value: string | null }[]>(`select ${column}::text as value from ${table}`);
  return row?.value ?? null;
}

describe('a document that is changed in place', () => {
  test('at any depth is written by the next flush', () =>
    db.rollback(async ({ em }) => {
      const { id } = aSynth(em, {
        data: {
          demografia: { composicao_familiar: { tipo: 'outros', numero_pessoas: 2 } },
          notes: [{ tags: ['a'] }],
        },
      });
      await em.flush();
      em.clear();
      const synth = await em.findOneOrFail(Synth, id);

      Object.assign(synth.data?.demografia?.composicao_familiar ?? {}, { numero_pessoas: 3 });
      await em.flush();

      expect(JSON.parse((await raw(em, 'synths', 'data')) ?? '')).toEqual({
        demografia: { composicao_familiar: { tipo: 'outros', numero_pessoas: 3 } },
        notes: [{ tags: ['a'] }],
      });
    }));

  test('is written in a flush right after it was stored, too', () =>
    db.rollback(async ({ em }) => {
      const synth = aSynth(em, { data: { notes: [{ tags: ['a'] }] } });
      await em.flush();

      synth.data = { ...synth.data, more: true };
      Object.assign(synth.data, { evenMore: { deep: [] } });
      await em.flush();
      Object.assign(synth.data['evenMore'] ?? {}, { deep: [1] });
      await em.flush();

      expect(JSON.parse((await raw(em, 'synths', 'data')) ?? '')).toEqual({
        notes: [{ tags: ['a'] }],
        more: true,
        evenMore: { deep: [1] },
      });
    }));

  test('may be an array, which grows and shrinks', () =>
    db.rollback(async ({ em }) => {
      const transcript = aTranscript(em, { messages: [{ speaker: 'a', text: 'one' }] });
      await em.flush();

      transcript.messages?.push({ speaker: 'b', text: 'two' });
      transcript.messages?.shift();
      await em.flush();

      expect(await raw(em, 'transcripts', 'messages')).toBe('[{"text": "two", "speaker": "b"}]');
    }));

  test('does not make a row dirty when nothing is changed', () =>
    db.rollback(async ({ em }) => {
      const { id } = anExperiment(em, { scorecardData: scorecard() });
      await em.flush();
      em.clear();
      const experiment = await em.findOneOrFail(Experiment, id);

      experiment.scorecardData = structuredClone(experiment.scorecardData ?? null);
      await em.flush();

      expect(experiment.rowVersion).toBe(1);
    }));
});

describe('list columns', () => {
  test.each<[string, string, (em: EntityManager) => object, string]>([
    ['transcripts', 'messages', (em) => aTranscript(em, { messages: [] }), '[]'],
    [
      'transcripts',
      'messages',
      (em) => aTranscript(em, { messages: [{ speaker: 'a', text: '' }] }),
      '[{"text": "", "speaker": "a"}]',
    ],
    [
      'sensitivity_results',
      'deltas_used',
      (em) => aSensitivityResult(em, { deltasUsed: [-0.1, 0, 0.1] }),
      '[-0.1, 0, 0.1]',
    ],
    ['sensitivity_results', 'dimensions', (em) => aSensitivityResult(em, { dimensions: [] }), '[]'],
    [
      'region_analyses',
      'rules',
      (em) => aRegionAnalysis(em, { rules: [{ attribute: 'a', operator: '<', threshold: 0.5 }] }),
      '[{"operator": "<", "attribute": "a", "threshold": 0.5}]',
    ],
  ])('%s.%s holds an array as it is', (table, column, stage, stored) =>
    db.rollback(async ({ em }) => {
      stage(em);
      await em.flush();

      expect(await raw(em, table, column)).toBe(stored);
    }),
  );
});

describe('no value', () => {
  test.each<[string, string, (em: EntityManager) => { row: object; clear: () => void }]>([
    [
      'experiments',
      'scorecard_data',
      (em) => {
        const row = anExperiment(em, { scorecardData: scorecard() });
        return { row, clear: () => (row.scorecardData = null) };
      },
    ],
    [
      'synths',
      'data',
      (em) => {
        const row = aSynth(em);
        return { row, clear: () => (row.data = null) };
      },
    ],
    [
      'transcripts',
      'messages',
      (em) => {
        const row = aTranscript(em);
        return { row, clear: () => (row.messages = null) };
      },
    ],
  ])('is SQL NULL in %s.%s, never the literal null', (table, column, stage) =>
    db.rollback(async ({ em }) => {
      const { row, clear } = stage(em);
      await em.flush();
      expect(await raw(em, table, column)).not.toBeNull();

      clear();
      await em.flush();

      expect(await em.execute(`select ${column} is null as nothing from ${table}`)).toEqual([
        { nothing: true },
      ]);
      expect(await em.refresh(row)).toBe(row);
    }),
  );

  test('is SQL NULL in a new row as well, said or not', () =>
    db.rollback(async ({ em }) => {
      aSynth(em, { data: null });
      anExperimentDocument(em);
      aScenarioNode(em);
      aSynthOutcome(em, { synthAttributes: null });
      await em.flush();

      expect(await em.count(Synth, { data: null })).toBe(1);
      expect(await em.count(ExperimentDocument, { metadata: null })).toBe(1);
      expect(await em.count(ScenarioNode, { simulationResults: null })).toBe(1);
      expect(await em.count(SynthOutcome, { synthAttributes: null })).toBe(1);
    }));

  test('is refused where there must be one', () =>
    db.rollback(async ({ em }) => {
      const run = anAnalysisRun(em);
      await em.flush();

      // @ts-expect-error the compiler refuses it too
      run.config = null;

      await expect(em.flush()).rejects.toThrow();
    }));
});

function scorecard(): Scorecard {
  return {
    feature_name: 'Checkout',
    description_text: 'Checkout in one step.',
    complexity: { score: 0.5 },
    initial_effort: { score: 0.4 },
    perceived_risk: { score: 0.3 },
    time_to_value: { score: 0.2 },
  };
}
