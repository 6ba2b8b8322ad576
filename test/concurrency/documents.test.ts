import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ContentionError, type Database } from '../../src/index.ts';
import type { Generation } from '../../src/repositories/index.ts';
import { TestDatabase, anExperiment, anExperimentDocument } from '../../src/testing/index.ts';
import { openWithPool, concurrently } from './concurrently.ts';

describe('concurrent starts of the generation of a document', () => {
  let db: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    db = await TestDatabase.create();
    database = await openWithPool(db, 4);
  });
  afterAll(async () => {
    await database.close();
    await db.drop();
  });

  const start = (experiment: string, abandonedBefore?: Date): Promise<Generation | null> =>
    database.transact(({ experimentDocuments }) =>
      experimentDocuments.startGenerating(experiment, 'summary', { model: 'gpt-4o-mini', abandonedBefore }),
    );
  const finish = (experiment: string, token: string, markdown: string): Promise<void> =>
    database.transact(({ experimentDocuments }) =>
      experimentDocuments.finishGenerating(experiment, 'summary', token, { status: 'completed', markdown }),
    );
  const written = (experiment: string): Promise<string | null> =>
    database.read(({ experimentDocuments }) => experimentDocuments.findMarkdown(experiment, 'summary'));

  test('succeed for one of two without a document', async () => {
    for (let round = 0; round < 10; round++) {
      const { id } = await db.transact(async ({ em }) => anExperiment(em));

      const started = await concurrently(2, () => start(id));

      expect(started.filter((generation) => generation !== null)).toHaveLength(1);
    }
  });

  test('succeed for one of fifty with a document, which keeps its key, and again for one after the end', async () => {
    const document = await db.transact(async ({ em }) => anExperimentDocument(em));
    const experiment = document.experiment.id;

    for (let round = 0; round < 2; round++) {
      const started = await concurrently(50, () => start(experiment));
      const [won, ...others] = started.filter((generation) => generation !== null);
      expect(others).toEqual([]);
      expect(won).toMatchObject({ id: document.id });
      await finish(experiment, won?.token ?? '', '# Done');
    }

    expect(await written(experiment)).toBe('# Done');
  });

  test('keep the text of the last worker that took over, in any order of their ends', async () => {
    const { id } = await db.transact(async ({ em }) => anExperiment(em));
    const workers: Generation[] = [];
    for (let worker = 0; worker < 5; worker++) {
      const generation = await start(id, new Date(Date.now() + 60_000));
      if (generation) workers.push(generation);
    }

    const ended = await concurrently(5, (worker) =>
      finish(id, workers[worker]?.token ?? '', `by ${worker}`).catch((error: unknown) => error),
    );

    expect(ended.slice(0, 4)).toEqual(Array.from({ length: 4 }, () => expect.any(ContentionError)));
    expect(ended[4]).toBeUndefined();
    expect(await written(id)).toBe('by 4');
  });
});
