import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AnalysisCache, InterviewGuide, Transcript } from '../../src/entities.ts';
import { TestDatabase, aTranscript, anAnalysisCache, anInterviewGuide } from '../../src/testing/index.ts';

describe('find', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  test('loads every kind of column and key as the ORM would, and leaves nothing to write', () =>
    db.rollback(async ({ em, transcripts, interviewGuides, analysisCache }) => {
      const [transcript, guide, cached] = [aTranscript(em), anInterviewGuide(em), anAnalysisCache(em)];
      await em.flush();
      em.clear();
      const expected = [
        await em.findOneOrFail(Transcript, transcript.id),
        await em.findOneOrFail(InterviewGuide, { experiment: guide.experiment.id }),
        await em.findOneOrFail(AnalysisCache, { analysis: cached.analysis.id, cacheKey: cached.cacheKey }),
      ];
      em.clear();

      const found = [
        await transcripts.find(transcript.id),
        await interviewGuides.find(guide.experiment.id),
        await analysisCache.find([cached.analysis.id, cached.cacheKey]),
      ];

      expect(JSON.parse(JSON.stringify(found))).toEqual(JSON.parse(JSON.stringify(expected)));
      em.getUnitOfWork().computeChangeSets();
      expect(em.getUnitOfWork().getChangeSets()).toEqual([]);
    }));

  test('gives the same entity for the same key, with what was changed on it', () =>
    db.rollback(async ({ em, transcripts }) => {
      const { id } = aTranscript(em);
      await em.flush();
      em.clear();

      const first = await transcripts.get(id);
      first.messages?.push({ speaker: 'synth', text: 'and one more' });
      const second = await transcripts.get(id);

      expect(second).toBe(first);
      em.clear();
      expect((await transcripts.get(id)).messages?.at(-1)).toEqual({
        speaker: 'synth',
        text: 'and one more',
      });
    }));

  test('a key is data, whatever it holds', () =>
    db.rollback(async ({ transcripts }) => {
      expect(await transcripts.find(`'; drop table transcripts; -- \\ ? $1`)).toBeNull();
    }));

  test('a row that only another row points at is loaded when it is asked for', () =>
    db.rollback(async ({ em, transcripts, researchExecutions }) => {
      const { id } = aTranscript(em);
      await em.flush();
      em.clear();

      const { execution } = await transcripts.get(id);

      expect((await researchExecutions.get(execution.id)).topicName).toEqual(expect.any(String));
    }));
});
