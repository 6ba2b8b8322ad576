import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/index.ts';
import { TestDatabase, anExperiment, anExperimentDocument } from '../../src/testing/index.ts';
import { openWith, together } from './together.ts';

describe('starts of a document’s generation, all at once', () => {
  let db: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    db = await TestDatabase.create();
    database = await openWith(db, 4);
  });
  afterAll(async () => {
    await database.close();
    await db.drop();
  });

  const start = (experiment: string): Promise<string | null> =>
    database.transact(({ experimentDocuments }) =>
      experimentDocuments.startGenerating(experiment, 'summary', { model: 'gpt-4o-mini' }),
    );

  test('one of two wins where there was no document', async () => {
    for (let round = 0; round < 10; round++) {
      const { id } = await db.transact(async ({ em }) => anExperiment(em));

      const started = await together(2, () => start(id));

      expect(started.filter((key) => key !== null)).toHaveLength(1);
    }
  });

  test('one of fifty wins where there was a document, which keeps its key; and one again when it is done', async () => {
    const document = await db.transact(async ({ em }) => anExperimentDocument(em));
    const experiment = document.experiment.id;

    for (let round = 0; round < 2; round++) {
      const started = await together(50, () => start(experiment));
      expect(started.filter((key) => key !== null)).toEqual([document.id]);
      await database.transact(({ experimentDocuments }) =>
        experimentDocuments.finishGenerating(experiment, 'summary', {
          status: 'completed',
          markdown: '# Done',
        }),
      );
    }

    expect(
      await database.read(({ experimentDocuments }) =>
        experimentDocuments.findMarkdown(experiment, 'summary'),
      ),
    ).toBe('# Done');
  });
});
