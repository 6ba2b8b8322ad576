import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ContentionError,
  DanglingReferenceError,
  InvalidJsonError,
  InvalidValueError,
  NotFoundError,
  type UnitOfWork,
} from '../../src/index.ts';
import type {
  ExperimentDocumentRepository,
  Generation,
  GenerationOutcome,
} from '../../src/repositories/index.ts';
import { TestDatabase, anExperiment, anExperimentDocument } from '../../src/testing/index.ts';
import { race } from './race.ts';

describe('ExperimentDocumentRepository', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  const newExperiment = (): Promise<string> => db.transact(async ({ em }) => anExperiment(em).id);
  const stored = (experimentId: string) =>
    db.read((uow) => uow.experimentDocuments.getByType(experimentId, 'prfaq'));

  test('findByType and getByType give the document of that experiment and type', () =>
    db.rollback(async ({ experimentDocuments, em }) => {
      const experiment = anExperiment(em);
      anExperimentDocument(em, { documentType: 'prfaq' });
      anExperimentDocument(em, { experiment, documentType: 'summary' });
      const { id } = anExperimentDocument(em, { experiment, documentType: 'prfaq' });

      expect(await experimentDocuments.findByType(experiment.id, 'prfaq')).toMatchObject({ id });
      expect(await experimentDocuments.getByType(experiment.id, 'prfaq')).toMatchObject({ id });
      expect(await experimentDocuments.findByType(experiment.id, 'executive_summary')).toBeNull();
    }));

  test('a document that is not there is refused by what needs one', () =>
    db.rollback(async ({ experimentDocuments, em }) => {
      const { id } = anExperiment(em);
      anExperimentDocument(em, { experiment: id, documentType: 'summary' });
      anExperimentDocument(em, { documentType: 'prfaq' });

      await expect(experimentDocuments.getByType(id, 'prfaq')).rejects.toBeInstanceOf(NotFoundError);
      await expect(experimentDocuments.removeByType(id, 'prfaq')).rejects.toBeInstanceOf(NotFoundError);
      await expect(
        experimentDocuments.finishGenerating(id, 'prfaq', someToken, { status: 'failed', error: 'e' }),
      ).rejects.toBeInstanceOf(NotFoundError);
    }));

  test('listSummaries gives the documents of one experiment, latest generated first, then by key', () =>
    db.rollback(async ({ experimentDocuments, em }) => {
      const experiment = anExperiment(em);
      const add = (id: string, documentType: 'summary' | 'prfaq' | 'executive_summary', second: number) =>
        anExperimentDocument(em, { id, experiment, documentType, generatedAt: at(second) });
      add('doc_b', 'summary', 1);
      add('doc_a', 'prfaq', 2);
      add('doc_c', 'executive_summary', 1);
      anExperimentDocument(em, { generatedAt: at(3) });

      const summaries = await experimentDocuments.listSummaries(experiment.id);

      expect(summaries.map(({ id }) => id)).toEqual(['doc_a', 'doc_c', 'doc_b']);
      expect(await experimentDocuments.listSummaries('exp_missing')).toEqual([]);
    }));

  test('a summary holds what it declares, and no more', () =>
    db.rollback(async ({ experimentDocuments, em }) => {
      const failed = anExperimentDocument(em, { status: 'failed', errorMessage: 'out of tokens' });
      const completed = anExperimentDocument(em, { generatedAt: at(1), model: 'gpt-5' });

      expect(await experimentDocuments.listSummaries(failed.experiment.id)).toEqual([
        {
          id: failed.id,
          documentType: 'summary',
          status: 'failed',
          generatedAt: expect.any(Date),
          model: 'gpt-4o-mini',
          errorMessage: 'out of tokens',
        },
      ]);
      expect(await experimentDocuments.listSummaries(completed.experiment.id)).toEqual([
        {
          id: completed.id,
          documentType: 'summary',
          status: 'completed',
          generatedAt: at(1),
          model: 'gpt-5',
          errorMessage: null,
        },
      ]);
    }));

  test.each(['pending', 'generating', 'failed', 'partial', 'completed'] as const)(
    'a document that is %s has that state, and is there to be read when it is completed',
    (status) =>
      db.rollback(async ({ experimentDocuments, em }) => {
        const completed = status === 'completed';
        const experiment = anExperiment(em);
        anExperimentDocument(em, { experiment, documentType: 'prfaq', status, markdownContent: '# FAQ' });

        expect(await experimentDocuments.findStatus(experiment.id, 'prfaq')).toBe(status);
        expect(await experimentDocuments.findMarkdown(experiment.id, 'prfaq')).toBe(
          completed ? '# FAQ' : null,
        );
        expect(await experimentDocuments.existsByType(experiment.id)).toEqual({
          summary: false,
          prfaq: completed,
          executive_summary: false,
        });
      }),
  );

  test('states and texts are those of the experiment and type asked for', () =>
    db.rollback(async ({ experimentDocuments, em }) => {
      const experiment = anExperiment(em);
      anExperimentDocument(em, { experiment, documentType: 'summary', markdownContent: 'summary' });
      anExperimentDocument(em, { experiment, documentType: 'executive_summary', markdownContent: 'ex' });
      anExperimentDocument(em, { documentType: 'prfaq', markdownContent: 'of another' });

      expect(await experimentDocuments.findStatus(experiment.id, 'prfaq')).toBeNull();
      expect(await experimentDocuments.findMarkdown(experiment.id, 'prfaq')).toBeNull();
      expect(await experimentDocuments.findMarkdown(experiment.id, 'executive_summary')).toBe('ex');
      expect(await experimentDocuments.existsByType(experiment.id)).toEqual({
        summary: true,
        prfaq: false,
        executive_summary: true,
      });
    }));

  test('saveDocument stores a first document', () =>
    db.rollback(async ({ experimentDocuments, em }) => {
      const experiment = anExperiment(em);

      const id = await experimentDocuments.saveDocument(experiment.id, 'prfaq', {
        markdown: '# FAQ',
        metadata: { headline: 'H' },
        model: 'gpt-5',
      });

      expect(id).toMatch(/^doc_/);
      expect(await experimentDocuments.get(id)).toMatchObject({
        documentType: 'prfaq',
        markdownContent: '# FAQ',
        metadata: { headline: 'H' },
        model: 'gpt-5',
        status: 'completed',
        errorMessage: null,
        generatedAt: expect.any(Date),
        rowVersion: 1,
      });
    }));

  test('saveDocument replaces all but the key of a document that is there, unflushed and loaded ones included', () =>
    db.rollback(async ({ experimentDocuments, em }) => {
      const document = anExperimentDocument(em, {
        documentType: 'prfaq',
        status: 'failed',
        errorMessage: 'out of tokens',
        metadata: { headline: 'old' },
        generatedAt: at(0),
      });
      const other = anExperimentDocument(em, { experiment: document.experiment });

      const id = await experimentDocuments.saveDocument(document.experiment.id, 'prfaq', {
        markdown: 'half',
        metadata: null,
        model: 'gpt-5',
        status: 'partial',
      });

      expect(id).toBe(document.id);
      expect(document).toMatchObject({
        markdownContent: 'half',
        metadata: null,
        model: 'gpt-5',
        status: 'partial',
        errorMessage: null,
        rowVersion: 2,
      });
      expect(document.generatedAt.getTime()).toBeGreaterThan(at(0).getTime());
      expect(await experimentDocuments.findMarkdown(other.experiment.id, 'summary')).toBe('# Summary');
    }));

  test('saveDocument also replaces a document that is being generated', () =>
    db.rollback(async ({ experimentDocuments, em }) => {
      const { id } = anExperiment(em);
      await experimentDocuments.startGenerating(id, 'prfaq', { model: 'm' });

      await experimentDocuments.saveDocument(id, 'prfaq', { markdown: 't', metadata: null, model: 'm' });

      expect(await experimentDocuments.findMarkdown(id, 'prfaq')).toBe('t');
    }));

  test('empty metadata is none', () =>
    db.rollback(async ({ experimentDocuments, em }) => {
      const experiment = anExperiment(em);
      const finished = { markdown: 't', metadata: {}, model: 'm' };

      await experimentDocuments.saveDocument(experiment.id, 'prfaq', finished);
      const token = await begin(experimentDocuments, experiment.id, 'summary');
      await experimentDocuments.finishGenerating(experiment.id, 'summary', token, {
        ...finished,
        status: 'completed',
      });

      expect(
        await em.execute('select metadata from experiment_documents where experiment_id = ?', [
          experiment.id,
        ]),
      ).toEqual([{ metadata: null }, { metadata: null }]);
    }));

  test.each([
    [
      'saveDocument',
      ({ experimentDocuments }: UnitOfWork, id: string) =>
        // @ts-expect-error -- what a caller without types may send
        experimentDocuments.saveDocument(id, 'prfaq', { markdown: 't', metadata: ['list'], model: 'm' }),
    ],
    [
      'finishGenerating',
      ({ experimentDocuments }: UnitOfWork, id: string) =>
        experimentDocuments.finishGenerating(id, 'prfaq', someToken, {
          status: 'completed',
          markdown: 't',
          // @ts-expect-error -- what a caller without types may send
          metadata: ['list'],
        }),
    ],
  ] as const)('%s refuses metadata that is no object', (_, write) =>
    db.rollback(async (uow) => {
      const { id } = anExperiment(uow.em);
      anExperimentDocument(uow.em, { experiment: id, documentType: 'prfaq' });

      await expect(write(uow, id)).rejects.toBeInstanceOf(InvalidJsonError);
    }),
  );

  test('of two who store a first document at once the last wins, under the key of the first', async () => {
    const experiment = await newExperiment();
    const save = ({ experimentDocuments }: UnitOfWork, markdown: string): Promise<string> =>
      experimentDocuments.saveDocument(experiment, 'prfaq', { markdown, metadata: null, model: 'm' });

    const [first, second] = await race(
      db,
      (uow) => save(uow, 'first'),
      (uow) => save(uow, 'second'),
    );

    expect(second).toBe(first);
    expect(await stored(experiment)).toMatchObject({ id: first, markdownContent: 'second', rowVersion: 2 });
  });

  test('startGenerating makes an empty document that is generating', () =>
    db.rollback(async ({ experimentDocuments, em }) => {
      const experiment = anExperiment(em);

      const generation = await experimentDocuments.startGenerating(experiment.id, 'prfaq', {
        model: 'gpt-5',
      });

      expect(generation).toEqual({ id: expect.stringMatching(/^doc_/), token: expect.any(String) });
      expect(await experimentDocuments.find(generation?.id ?? '')).toMatchObject({
        documentType: 'prfaq',
        markdownContent: '',
        metadata: null,
        model: 'gpt-5',
        status: 'generating',
        errorMessage: null,
        generatedAt: expect.any(Date),
        rowVersion: 1,
      });
    }));

  test.each(['pending', 'completed', 'failed', 'partial'] as const)(
    'startGenerating empties a document that is %s and keeps its key',
    (status) =>
      db.rollback(async ({ experimentDocuments, em }) => {
        const document = anExperimentDocument(em, {
          documentType: 'prfaq',
          status,
          markdownContent: 'old',
          metadata: { headline: 'old' },
          errorMessage: 'out of tokens',
          generatedAt: at(0),
        });

        expect(
          await experimentDocuments.startGenerating(document.experiment.id, 'prfaq', { model: 'gpt-5' }),
        ).toMatchObject({ id: document.id });

        expect(document).toMatchObject({
          markdownContent: '',
          metadata: null,
          model: 'gpt-5',
          status: 'generating',
          errorMessage: null,
          rowVersion: 2,
        });
        expect(document.generatedAt.getTime()).toBeGreaterThan(at(0).getTime());
      }),
  );

  test('startGenerating learns of a document that is generating, and leaves it as it is', () =>
    db.rollback(async ({ experimentDocuments, em }) => {
      const document = anExperimentDocument(em, {
        documentType: 'prfaq',
        status: 'generating',
        markdownContent: 'so far',
        model: 'first',
      });
      const start = (documentType: 'prfaq' | 'summary'): Promise<Generation | null> =>
        experimentDocuments.startGenerating(document.experiment.id, documentType, { model: 'second' });

      expect(await start('prfaq')).toBeNull();
      expect(await start('summary')).not.toBeNull();

      await em.refresh(document);
      expect(document).toMatchObject({ markdownContent: 'so far', model: 'first', rowVersion: 1 });
    }));

  test('a generation that began too long ago is begun anew, where that is asked for', () =>
    db.rollback(async ({ experimentDocuments, em }) => {
      const document = anExperimentDocument(em, {
        documentType: 'prfaq',
        status: 'generating',
        generatedAt: at(1),
      });
      const start = (abandonedBefore?: Date): Promise<Generation | null> =>
        experimentDocuments.startGenerating(document.experiment.id, 'prfaq', { model: 'm', abandonedBefore });

      expect(await start(at(1))).toBeNull();
      expect(await start(at(2))).toMatchObject({ id: document.id });
      expect(await start(at(2))).toBeNull();
    }));

  test('of two starts at once one wins, and the other learns that it is generating', async () => {
    const experiment = await newExperiment();
    const start = ({ experimentDocuments }: UnitOfWork, model: string): Promise<Generation | null> =>
      experimentDocuments.startGenerating(experiment, 'prfaq', { model });

    const first = await race(
      db,
      (uow) => start(uow, 'first'),
      (uow) => start(uow, 'second'),
    );
    const [{ id = '', token = '' } = {}, none] = first.map((generation) => generation ?? undefined);
    expect([id, none]).toEqual([expect.stringMatching(/^doc_/), undefined]);

    await db.transact(({ experimentDocuments }) =>
      experimentDocuments.finishGenerating(experiment, 'prfaq', token, { status: 'failed', error: 'e' }),
    );
    const again = await race(
      db,
      (uow) => start(uow, 'third'),
      (uow) => start(uow, 'fourth'),
    );
    expect(again).toEqual([{ id, token: expect.any(String) }, null]);
    expect(again[0]?.token).not.toBe(token);
    expect(await stored(experiment)).toMatchObject({ model: 'third', rowVersion: 3 });
  });

  test('a start that is taken back leaves the way to the next', async () => {
    const experiment = await newExperiment();
    const failing = db.transact(async ({ experimentDocuments }) => {
      await experimentDocuments.startGenerating(experiment, 'prfaq', { model: 'm' });
      throw new Error('taken back');
    });

    await expect(failing).rejects.toThrow('taken back');
    expect(
      await db.transact(({ experimentDocuments }) =>
        experimentDocuments.startGenerating(experiment, 'prfaq', { model: 'm' }),
      ),
    ).not.toBeNull();
  });

  test('an experiment that does not exist is refused, by the name of the foreign key', async () => {
    const starting = db.transact(({ experimentDocuments }) =>
      experimentDocuments.startGenerating('exp_missing', 'prfaq', { model: 'm' }),
    );

    await expect(starting).rejects.toBeInstanceOf(DanglingReferenceError);
    await expect(starting).rejects.toMatchObject({
      constraint: 'fk_experiment_documents_experiment_id',
    });
  });

  test.each(['completed', 'partial'] as const)('finishGenerating stores a text that is %s', (status) =>
    db.rollback(async ({ experimentDocuments, em }) => {
      const document = anExperimentDocument(em, {
        documentType: 'prfaq',
        status: 'generating',
        markdownContent: '',
        errorMessage: 'from before',
        generatedAt: at(0),
      });
      const token = at(0).toISOString();
      const other = anExperimentDocument(em, { documentType: 'prfaq', status: 'generating' });
      const sibling = anExperimentDocument(em, { experiment: document.experiment, status: 'pending' });

      await experimentDocuments.finishGenerating(document.experiment.id, 'prfaq', token, {
        status,
        markdown: '# FAQ',
        metadata: { headline: 'H' },
      });

      expect(document).toMatchObject({
        status,
        markdownContent: '# FAQ',
        metadata: { headline: 'H' },
        errorMessage: null,
        rowVersion: 2,
      });
      expect(document.generatedAt.getTime() > at(0).getTime()).toBe(status === 'completed');
      expect(await experimentDocuments.findStatus(other.experiment.id, 'prfaq')).toBe('generating');
      expect(await experimentDocuments.findStatus(sibling.experiment.id, 'summary')).toBe('pending');
    }),
  );

  test('a failure says what went wrong, keeps what there was, and is cleared by the next start', () =>
    db.rollback(async ({ experimentDocuments, em }) => {
      const document = anExperimentDocument(em, {
        documentType: 'prfaq',
        status: 'generating',
        markdownContent: 'so far',
        metadata: { headline: 'kept' },
        generatedAt: at(0),
      });

      await experimentDocuments.finishGenerating(document.experiment.id, 'prfaq', at(0).toISOString(), {
        status: 'failed',
        error: 'out of tokens',
      });
      expect(document).toMatchObject({
        status: 'failed',
        errorMessage: 'out of tokens',
        markdownContent: 'so far',
        metadata: { headline: 'kept' },
        generatedAt: at(0),
      });

      await experimentDocuments.startGenerating(document.experiment.id, 'prfaq', { model: 'm' });
      expect(document).toMatchObject({ status: 'generating', errorMessage: null });
    }));

  test('finishGenerating leaves metadata that is absent, and clears metadata that is null', () =>
    db.rollback(async ({ experimentDocuments, em }) => {
      const finished = async (metadata: null | undefined): Promise<unknown> => {
        const document = anExperimentDocument(em, {
          documentType: 'prfaq',
          status: 'generating',
          metadata: { headline: 'H' },
          generatedAt: at(0),
        });
        await experimentDocuments.finishGenerating(document.experiment.id, 'prfaq', at(0).toISOString(), {
          status: 'completed',
          markdown: 't',
          metadata,
        });
        return document.metadata;
      };

      expect(await finished(undefined)).toEqual({ headline: 'H' });
      expect(await finished(null)).toBeNull();
    }));

  test.each(['completed', 'failed'] as const)(
    'a generation that is %s after another took it over is refused and writes nothing; the other’s text stays',
    async (status) => {
      const experiment = await newExperiment();
      const start = () =>
        db.transact(({ experimentDocuments }) => begin(experimentDocuments, experiment, 'prfaq', hence));
      const finish = (token: string, outcome: GenerationOutcome) =>
        db.transact(({ experimentDocuments }) =>
          experimentDocuments.finishGenerating(experiment, 'prfaq', token, outcome),
        );
      const late = { status, markdown: 'late', error: 'late' };
      const abandoned = await start();
      const current = await start();

      await expect(finish(abandoned, late)).rejects.toBeInstanceOf(ContentionError);
      expect(await stored(experiment)).toMatchObject({ status: 'generating', markdownContent: '' });
      await finish(current, { status: 'completed', markdown: 'current' });
      await expect(finish(abandoned, late)).rejects.toBeInstanceOf(ContentionError);
      expect(await stored(experiment)).toMatchObject({
        status: 'completed',
        markdownContent: 'current',
        errorMessage: null,
        rowVersion: 3,
      });
    },
  );

  test('who finishes while another takes over waits, and is refused', async () => {
    const experiment = await newExperiment();
    const abandoned = await db.transact(({ experimentDocuments }) =>
      begin(experimentDocuments, experiment, 'prfaq'),
    );

    const [current, refusal] = await race(
      db,
      ({ experimentDocuments }) => begin(experimentDocuments, experiment, 'prfaq', hence),
      ({ experimentDocuments }) =>
        experimentDocuments
          .finishGenerating(experiment, 'prfaq', abandoned, { status: 'completed', markdown: 'late' })
          .catch((error: unknown) => error),
    );

    expect(refusal).toBeInstanceOf(ContentionError);
    await db.transact(({ experimentDocuments }) =>
      experimentDocuments.finishGenerating(experiment, 'prfaq', current, {
        status: 'completed',
        markdown: 'current',
      }),
    );
    expect(await stored(experiment)).toMatchObject({ markdownContent: 'current' });
  });

  test.each([
    [
      'ended',
      (documents, experiment, token) =>
        documents.finishGenerating(experiment, 'prfaq', token, { status: 'partial', markdown: 'kept' }),
    ],
    [
      'was replaced by a finished text',
      (documents, experiment) =>
        documents.saveDocument(experiment, 'prfaq', { markdown: 'kept', metadata: null, model: 'm' }),
    ],
  ] satisfies [string, (...of: [ExperimentDocumentRepository, string, string]) => Promise<unknown>][])(
    'a generation that %s can’t be ended again',
    (_, end) =>
      db.rollback(async ({ experimentDocuments, em }) => {
        const { id } = anExperiment(em);
        const token = await begin(experimentDocuments, id, 'prfaq');
        await end(experimentDocuments, id, token);

        await expect(
          experimentDocuments.finishGenerating(id, 'prfaq', token, { status: 'failed', error: 'late' }),
        ).rejects.toBeInstanceOf(ContentionError);

        expect(await experimentDocuments.getByType(id, 'prfaq')).toMatchObject({
          markdownContent: 'kept',
          errorMessage: null,
        });
      }),
  );

  test('a generation goes on after its document was edited', async () => {
    const experiment = await newExperiment();
    const token = await db.transact(({ experimentDocuments }) =>
      begin(experimentDocuments, experiment, 'prfaq'),
    );
    await db.transact(async ({ experimentDocuments }) => {
      (await experimentDocuments.getByType(experiment, 'prfaq')).markdownContent = 'half';
    });

    await db.transact(({ experimentDocuments }) =>
      experimentDocuments.finishGenerating(experiment, 'prfaq', token, { status: 'failed', error: 'e' }),
    );

    expect(await stored(experiment)).toMatchObject({ status: 'failed', markdownContent: 'half' });
  });

  test('a token that no start gave is refused', async () => {
    const experiment = await newExperiment();
    const finishing = db.transact(async ({ experimentDocuments }) => {
      await begin(experimentDocuments, experiment, 'prfaq');
      await experimentDocuments.finishGenerating(experiment, 'prfaq', 'made up', {
        status: 'failed',
        error: 'e',
      });
    });

    await expect(finishing).rejects.toBeInstanceOf(InvalidValueError);
  });

  test('who edits a document while its generation ends is refused', async () => {
    const experiment = await newExperiment();
    const token = await db.transact(({ experimentDocuments }) =>
      begin(experimentDocuments, experiment, 'prfaq'),
    );

    const editing = db.transact(async ({ experimentDocuments }) => {
      const document = await experimentDocuments.getByType(experiment, 'prfaq');
      document.markdownContent = 'edited';
      await db.transact((other) =>
        other.experimentDocuments.finishGenerating(experiment, 'prfaq', token, {
          status: 'completed',
          markdown: 'generated',
        }),
      );
    });

    await expect(editing).rejects.toBeInstanceOf(ContentionError);
    expect(await stored(experiment)).toMatchObject({ markdownContent: 'generated' });
  });

  test('removeByType removes that document and no other', () =>
    db.rollback(async ({ experimentDocuments, em }) => {
      const experiment = anExperiment(em);
      const gone = anExperimentDocument(em, { experiment, documentType: 'prfaq' });
      const kept = anExperimentDocument(em, { experiment, documentType: 'summary' });
      const other = anExperimentDocument(em, { documentType: 'prfaq' });

      await experimentDocuments.removeByType(experiment.id, 'prfaq');

      expect(await experimentDocuments.find(gone.id)).toBeNull();
      expect(await experimentDocuments.listSummaries(experiment.id)).toMatchObject([{ id: kept.id }]);
      expect(await experimentDocuments.findStatus(other.experiment.id, 'prfaq')).toBe('completed');
    }));

  test('documents of a deleted experiment stay in reach', () =>
    db.rollback(async ({ experimentDocuments, em }) => {
      const experiment = anExperiment(em, { status: 'deleted' });
      const { id } = anExperimentDocument(em, { experiment });

      expect(await experimentDocuments.find(id)).toMatchObject({ id });
      expect(await experimentDocuments.listSummaries(experiment.id)).toMatchObject([{ id }]);
    }));
});

function at(second: number): Date {
  return new Date(Date.UTC(2026, 0, 1, 0, 0, second));
}

const someToken = at(0).toISOString();

// Whatever is under way counts as abandoned.
const hence = new Date(Date.now() + 3_600_000);

/** Begins to generate a document, and gives the token of the generation. */
async function begin(
  documents: ExperimentDocumentRepository,
  experiment: string,
  documentType: 'summary' | 'prfaq',
  abandonedBefore?: Date,
): Promise<string> {
  const generation = await documents.startGenerating(experiment, documentType, {
    model: 'm',
    abandonedBefore,
  });
  if (!generation) throw new Error('it is being generated');
  return generation.token;
}
