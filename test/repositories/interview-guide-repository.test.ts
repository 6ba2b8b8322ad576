import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ContentionError, DanglingReferenceError, DuplicateError, NotFoundError } from '../../src/index.ts';
import { TestDatabase, anExperiment, anInterviewGuide } from '../../src/testing/index.ts';
import { race } from './race.ts';

describe('InterviewGuideRepository', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  const newExperiment = (): Promise<string> => db.transact(async ({ em }) => anExperiment(em).id);

  test('find and get give the guide of an experiment, by the key of that experiment', () =>
    db.rollback(async ({ interviewGuides, em }) => {
      anInterviewGuide(em, { questions: 'another' });
      const experiment = anExperiment(em);
      anInterviewGuide(em, { experiment, questions: 'this one' });
      await em.flush();
      em.clear();

      expect(await interviewGuides.find(experiment.id)).toMatchObject({ questions: 'this one' });
      expect(await interviewGuides.get(experiment.id)).toMatchObject({ questions: 'this one' });
    }));

  test('an experiment without a guide has none to find, get, update or remove', () =>
    db.rollback(async ({ interviewGuides, em }) => {
      anInterviewGuide(em);
      const { id } = anExperiment(em);

      expect(await interviewGuides.find(id)).toBeNull();
      await expect(interviewGuides.get(id)).rejects.toBeInstanceOf(NotFoundError);
      await expect(interviewGuides.update(id, {})).rejects.toBeInstanceOf(NotFoundError);
      await expect(interviewGuides.removeByExperiment(id)).rejects.toBeInstanceOf(NotFoundError);
    }));

  test('exists tells the experiments with a guide from those without, unflushed ones included', () =>
    db.rollback(async ({ interviewGuides, em }) => {
      const guided = anExperiment(em);
      anInterviewGuide(em, { experiment: guided });
      const bare = anExperiment(em);

      expect(await interviewGuides.exists(guided.id)).toBe(true);
      expect(await interviewGuides.exists(bare.id)).toBe(false);
      expect(await interviewGuides.exists('exp_missing')).toBe(false);
    }));

  test('a second guide of an experiment is refused, by the name of the key', async () => {
    const experiment = await newExperiment();
    const add = (): Promise<void> =>
      db.transact(async ({ interviewGuides }) => {
        interviewGuides.add({ experiment, questions: 'q' });
      });

    await add();
    await expect(add()).rejects.toBeInstanceOf(DuplicateError);
    await expect(add()).rejects.toMatchObject({ constraint: 'interview_guide_pkey' });
  });

  test('insertIfAbsent adds what is given, and leaves a guide that is there as it was', () =>
    db.rollback(async ({ interviewGuides, em }) => {
      const texts = { contextDefinition: 'd', questions: 'q', contextExamples: 'e' };
      const { id } = anExperiment(em);

      expect(await interviewGuides.insertIfAbsent(id, texts)).toBe(true);
      expect(await interviewGuides.insertIfAbsent(id, { questions: 'second' })).toBe(false);

      expect(await interviewGuides.get(id)).toMatchObject({
        ...texts,
        createdAt: expect.any(Date),
        updatedAt: null,
        rowVersion: 1,
      });
    }));

  test('a text that insertIfAbsent is not given is null', () =>
    db.rollback(async ({ interviewGuides, em }) => {
      const { id } = anExperiment(em);

      await interviewGuides.insertIfAbsent(id, { questions: undefined, contextExamples: null });

      expect(await interviewGuides.get(id)).toMatchObject({
        contextDefinition: null,
        questions: null,
        contextExamples: null,
      });
    }));

  test('insertIfAbsent sees a guide that is not flushed yet', () =>
    db.rollback(async ({ interviewGuides, em }) => {
      const experiment = anExperiment(em);
      anInterviewGuide(em, { experiment });

      expect(await interviewGuides.insertIfAbsent(experiment.id, {})).toBe(false);
    }));

  test('of two guides added at once one stays, and the other writer learns of it', async () => {
    const experiment = await newExperiment();

    const added = await race(
      db,
      ({ interviewGuides }) => interviewGuides.insertIfAbsent(experiment, { questions: 'first' }),
      ({ interviewGuides }) => interviewGuides.insertIfAbsent(experiment, { questions: 'second' }),
    );

    expect(added).toEqual([true, false]);
    expect(await db.read(({ interviewGuides }) => interviewGuides.get(experiment))).toMatchObject({
      questions: 'first',
    });
  });

  test('insertIfAbsent refuses an experiment that does not exist', async () => {
    const adding = db.transact(({ interviewGuides }) => interviewGuides.insertIfAbsent('exp_missing', {}));

    await expect(adding).rejects.toBeInstanceOf(DanglingReferenceError);
    await expect(adding).rejects.toMatchObject({ constraint: 'fk_interview_guide_experiment_id' });
  });

  test.each(['contextDefinition', 'questions', 'contextExamples'] as const)(
    'update changes %s alone when it alone is given, and clears it when it is null',
    (field) =>
      db.rollback(async ({ interviewGuides, em }) => {
        const texts = { contextDefinition: 'd', questions: 'q', contextExamples: 'e' };
        const { id } = anExperiment(em);
        anInterviewGuide(em, { experiment: id, ...texts });
        await em.flush();
        em.clear();

        const absent = { contextDefinition: undefined, questions: undefined, contextExamples: undefined };
        await interviewGuides.update(id, { ...absent, [field]: 'new' });
        await em.flush();
        em.clear();
        expect(await interviewGuides.get(id)).toMatchObject({
          ...texts,
          [field]: 'new',
          updatedAt: expect.any(Date),
          rowVersion: 2,
        });

        await interviewGuides.update(id, { [field]: null });
        await em.flush();
        em.clear();
        expect(await interviewGuides.get(id)).toMatchObject({ ...texts, [field]: null, rowVersion: 3 });
      }),
  );

  test('of two who update the same guide side by side the second is refused', async () => {
    const experiment = await newExperiment();
    await db.transact(({ interviewGuides }) => interviewGuides.insertIfAbsent(experiment, {}));

    const updating = db.transact(async ({ interviewGuides }) => {
      await interviewGuides.update(experiment, { questions: 'late' });
      await db.transact((other) => other.interviewGuides.update(experiment, { questions: 'early' }));
    });

    await expect(updating).rejects.toBeInstanceOf(ContentionError);
    expect(await db.read(({ interviewGuides }) => interviewGuides.get(experiment))).toMatchObject({
      questions: 'early',
    });
  });

  test('the guide of a deleted experiment is reached by its key', () =>
    db.rollback(async ({ interviewGuides, em }) => {
      const experiment = anExperiment(em, { status: 'deleted' });
      const guide = anInterviewGuide(em, { experiment });

      expect(await interviewGuides.find(experiment.id)).toBe(guide);
      expect(await interviewGuides.exists(experiment.id)).toBe(true);
    }));

  test('removeByExperiment removes the guide of that experiment and no other', () =>
    db.rollback(async ({ interviewGuides, em }) => {
      const [gone, kept] = [anExperiment(em), anExperiment(em)];
      anInterviewGuide(em, { experiment: gone });
      anInterviewGuide(em, { experiment: kept });

      await interviewGuides.removeByExperiment(gone.id);

      expect(await interviewGuides.exists(gone.id)).toBe(false);
      expect(await interviewGuides.find(gone.id)).toBeNull();
      expect(await interviewGuides.exists(kept.id)).toBe(true);
    }));
});
