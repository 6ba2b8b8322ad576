import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ContentionError, type UnitOfWork } from '../../src/index.ts';
import { TestDatabase, anAnalysisRun } from '../../src/testing/index.ts';
import { race } from './race.ts';
import { outcome } from './some-outcomes.ts';

describe('SynthOutcomeRepository.saveAll, among others who do the same', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

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
        return synthOutcomes.listSummaries(id);
      },
      async ({ synthOutcomes }) => {
        await synthOutcomes.saveAll(
          id,
          synths.toReversed().map((synth) => outcome(synth, { failedRate: 0.2 })),
        );
        return synthOutcomes.listSummaries(id);
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
        return synthOutcomes.listSummaries(id);
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

    const left = await db.read(({ synthOutcomes }) => synthOutcomes.listSummaries(id));
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

    await expect(db.transact(save, { isolation: 'repeatable read' })).rejects.toBeInstanceOf(ContentionError);
    runs = 0;
    await db.transact(({ synthOutcomes }) => synthOutcomes.deleteByAnalysis(id));
    await db.transact(save, { isolation: 'repeatable read', retries: 1 });

    expect(await db.read(({ synthOutcomes }) => synthOutcomes.listSummaries(id))).toMatchObject([
      { failedRate: 0.75 },
    ]);
  });
});
