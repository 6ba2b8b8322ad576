import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  DanglingReferenceError,
  DuplicateError,
  InvalidJsonError,
  InvalidPageError,
  NotFoundError,
} from '../../src/index.ts';
import { TestDatabase, aResearchExecution, aTranscript } from '../../src/testing/index.ts';
import { walk } from './walk.ts';
import { keys } from './some-synths.ts';

describe('TranscriptRepository', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  test('record keeps a list of messages in order, and counts its full turns', () =>
    db.rollback(async ({ transcripts, em }) => {
      const execution = aResearchExecution(em).id;
      const messages = [
        { speaker: 'Interviewer', text: 'What made you stop?', internal_notes: 'open' },
        { speaker: 'Ana', text: 'The fee; it\'s 100% too much \\ "really" {}[]', internal_notes: null },
        { speaker: 'Interviewer', text: 'Why?' },
      ];

      const before = Date.now();
      const transcript = transcripts.addInterview(execution, {
        synthId: 'abc123',
        synthName: 'Ana',
        messages,
      });

      expect(await transcripts.getDetail(execution, 'abc123')).toEqual({
        id: transcript.id,
        executionId: execution,
        synthId: 'abc123',
        synthName: 'Ana',
        status: 'completed',
        turnCount: 1,
        recordedAt: expect.any(Date),
        messages: [...messages.slice(0, 2), { speaker: 'Interviewer', text: 'Why?', internal_notes: null }],
      });
      expect(transcript.recordedAt.getTime()).toBeGreaterThanOrEqual(before);
      expect(await em.execute('select jsonb_typeof(messages) as type from transcripts')).toEqual([
        { type: 'array' },
      ]);
    }));

  test('record takes no messages, a status and a time', () =>
    db.rollback(async ({ transcripts, em }) => {
      const execution = aResearchExecution(em).id;

      transcripts.addInterview(execution, {
        synthId: 'a',
        synthName: 'Ana',
        messages: [],
        status: 'failed',
        recordedAt: at(1),
      });

      expect(await transcripts.getDetail(execution, 'a')).toMatchObject({
        status: 'failed',
        turnCount: 0,
        recordedAt: at(1),
        messages: [],
      });
    }));

  test('record refuses messages out of shape, a second transcript of a synth, and a missing execution', () =>
    db.rollback(async (uow) => {
      const execution = aResearchExecution(uow.em).id;
      aTranscript(uow.em, { execution, synthId: 'a' });
      const record = (to: string, synthId: string, messages: { speaker: string; text: string }[]) =>
        uow.transact(async ({ transcripts }) => {
          transcripts.addInterview(to, { synthId, synthName: 'Ana', messages });
        });

      // @ts-expect-error -- what a caller without types may send
      await expect(record(execution, 'b', [{ speaker: 'Ana' }])).rejects.toBeInstanceOf(InvalidJsonError);
      await expect(record(execution, 'a', [])).rejects.toBeInstanceOf(DuplicateError);
      await expect(record(execution, 'a', [])).rejects.toMatchObject({
        constraint: 'uq_transcripts_exec_synth',
      });
      await expect(record('exec_missing', 'a', [])).rejects.toBeInstanceOf(DanglingReferenceError);
      await expect(record('exec_missing', 'a', [])).rejects.toMatchObject({
        constraint: 'fk_transcripts_exec_id',
      });
    }));

  test('getDetail gives the transcript of that synth in that execution', () =>
    db.rollback(async ({ transcripts, em }) => {
      const [execution, other] = [aResearchExecution(em), aResearchExecution(em)];
      const mine = aTranscript(em, { execution, synthId: 'a' });
      aTranscript(em, { execution, synthId: 'b' });
      aTranscript(em, { execution: other, synthId: 'a' });
      aTranscript(em, { execution: other, synthId: 'c' });

      expect((await transcripts.getDetail(execution.id, 'a')).id).toBe(mine.id);
      await expect(transcripts.getDetail(execution.id, 'c')).rejects.toBeInstanceOf(NotFoundError);
      await expect(transcripts.getDetail(execution.id, 'c')).rejects.toMatchObject({
        entity: 'Transcript',
        key: { execution: execution.id, synth: 'c' },
      });
    }));

  test('getDetail fills in what old messages lack, and keeps what it does not know', () =>
    db.rollback(async ({ transcripts, em }) => {
      const execution = aResearchExecution(em).id;
      aTranscript(em, { execution, synthId: 'none', messages: null });
      aTranscript(em, { id: 'old', execution, synthId: 'old', messages: [] });
      await transcripts.get('old');
      await em.execute(
        `update transcripts set messages = '[{}, {"text": "t", "content": "c"}]' where id = 'old'`,
      );

      expect((await transcripts.getDetail(execution, 'none')).messages).toEqual([]);
      expect((await transcripts.getDetail(execution, 'old')).messages).toEqual([
        { speaker: 'Unknown', text: '', internal_notes: null },
        { speaker: 'Unknown', text: 't', internal_notes: null, content: 'c' },
      ]);
    }));

  test('a summary has these fields and no others', () =>
    db.rollback(async ({ transcripts, em }) => {
      const execution = aResearchExecution(em).id;
      const { id } = aTranscript(em, { execution, synthId: 'a', recordedAt: at(1), turnCount: 3 });
      const summary = {
        id,
        synthId: 'a',
        synthName: 'Maria Souza',
        status: 'pending',
        turnCount: 3,
        recordedAt: at(1),
      };

      expect((await transcripts.pageSummaries(execution)).data).toEqual([summary]);
      expect((await transcripts.scrollSummaries(execution)).data).toEqual([summary]);
    }));

  test('the lists give the transcripts of that execution alone, newest first, by key where times are equal', () =>
    db.rollback(async ({ transcripts, em }) => {
      const [execution, other] = [aResearchExecution(em), aResearchExecution(em)];
      for (const [id, second] of shuffled) aTranscript(em, { id, execution, recordedAt: at(second) });
      aTranscript(em, { execution: other, recordedAt: at(3) });

      const page = await transcripts.pageSummaries(execution.id);
      const cursorPage = await transcripts.scrollSummaries(execution.id);

      expect(keys(page)).toBe('cdba');
      expect(page.pagination).toEqual({ total: 4, limit: 50, offset: 0, hasNext: false });
      expect(keys(cursorPage)).toBe('cdba');
      expect(cursorPage.pagination.hasNextPage).toBe(false);
    }));

  test('pageSummaries orders by what is asked for, and by key where that is equal', () =>
    db.rollback(async ({ transcripts, em }) => {
      const execution = aResearchExecution(em).id;
      for (const [id, second] of shuffled) {
        aTranscript(em, {
          id,
          execution,
          recordedAt: at(second),
          synthName: second === 2 ? 'Ana' : 'Bia',
          turnCount: id === 'd' ? 1 : 2,
        });
      }

      const ids = async (request: Parameters<typeof transcripts.pageSummaries>[1]) =>
        keys(await transcripts.pageSummaries(execution, request));

      expect(await ids({ sortOrder: 'asc' })).toBe('abdc');
      expect(await ids({ sortBy: 'synthName', sortOrder: 'asc' })).toBe('cabd');
      expect(await ids({ sortBy: 'synthName' })).toBe('dbac');
      expect(await ids({ sortBy: 'turnCount' })).toBe('cbad');
      expect(await ids({ limit: 2, offset: 1 })).toBe('db');
      expect((await transcripts.pageSummaries(execution, { limit: 2, offset: 1 })).pagination).toEqual({
        total: 4,
        limit: 2,
        offset: 1,
        hasNext: true,
      });
      expect(await transcripts.pageSummaries(execution, { offset: 4 })).toEqual({
        data: [],
        pagination: { total: 4, limit: 50, offset: 4, hasNext: false },
      });
    }));

  test('scrollSummaries walks every transcript once, equal times and microseconds included', () =>
    db.rollback(async ({ transcripts, em }) => {
      const execution = aResearchExecution(em).id;
      await transcripts.scrollSummaries(execution);
      await em.execute(
        `insert into transcripts (id, exec_id, synth_id, synth_name, "timestamp")
          select 'trn_' || i, ?, 'syn_' || i, 'n', timestamptz '2026-01-01 00:00:00Z' + (i / 3) * interval '1 microsecond'
          from generate_series(1, 20) i`,
        [execution],
      );

      const found = await walk((after) => transcripts.scrollSummaries(execution, { after, first: 3 }));
      const walked = found.map(({ id }) => id);

      const all = await em.execute<{ id: string }[]>(
        'select id from transcripts order by "timestamp" desc, id desc',
      );
      expect(walked).toEqual(all.map(({ id }) => id));
    }));

  test('the lists are empty for an execution without transcripts, and refuse one that does not exist', () =>
    db.rollback(async ({ transcripts, em }) => {
      const execution = aResearchExecution(em).id;
      aTranscript(em);

      expect(await transcripts.pageSummaries(execution)).toEqual({
        data: [],
        pagination: { total: 0, limit: 50, offset: 0, hasNext: false },
      });
      expect(await transcripts.scrollSummaries(execution)).toEqual({
        data: [],
        pagination: { endCursor: null, hasNextPage: false },
      });
      for (const missing of [
        () => transcripts.pageSummaries('exec_x'),
        () => transcripts.scrollSummaries('exec_x'),
      ]) {
        await expect(missing()).rejects.toMatchObject({ entity: 'ResearchExecution', key: 'exec_x' });
        await expect(missing()).rejects.toBeInstanceOf(NotFoundError);
      }
    }));

  test('the lists refuse what is out of bounds, and cursors of another execution', () =>
    db.rollback(async ({ transcripts, em }) => {
      const [execution, other] = [aResearchExecution(em), aResearchExecution(em)];
      for (const id of ['a', 'b']) aTranscript(em, { id, execution });
      const { endCursor } = (await transcripts.scrollSummaries(execution.id, { first: 1 })).pagination;

      for (const refused of [
        () => transcripts.scrollSummaries(other.id, { after: endCursor }),
        () => transcripts.scrollSummaries(execution.id, { first: 0 }),
        () => transcripts.pageSummaries(execution.id, { limit: 201 }),
        // @ts-expect-error -- what a caller without types may send
        () => transcripts.pageSummaries(execution.id, { sortBy: 'messages' }),
      ]) {
        await expect(refused()).rejects.toBeInstanceOf(InvalidPageError);
      }
    }));

  test('countTurnsBatch sums the turns of each execution that has transcripts', () =>
    db.rollback(async ({ transcripts, em }) => {
      for (const id of 'abcdefgh') aResearchExecution(em, { id });
      for (const [execution, turnCount] of [
        ['d', 9],
        ['h', 1],
        ['g', 1],
        ['f', 1],
        ['e', 1],
        ['b', 0],
        ['a', 3],
        ['a', 4],
      ] as const) {
        aTranscript(em, { execution, turnCount });
      }

      const asked = ['h', 'g', 'f', 'e', 'b', 'a', 'c', 'missing', 'a'];
      expect([...(await transcripts.countTurnsBatch(asked))]).toEqual([
        ['a', 7],
        ['b', 0],
        ['e', 1],
        ['f', 1],
        ['g', 1],
        ['h', 1],
      ]);
      expect(await transcripts.countTurnsBatch([])).toEqual(new Map());
    }));

  test("an execution's transcripts die with it", () =>
    db.rollback(async ({ transcripts, researchExecutions, em }) => {
      const [execution, other] = [aResearchExecution(em), aResearchExecution(em)];
      aTranscript(em, { execution, synthId: 'a' });
      aTranscript(em, { execution: other, synthId: 'a' });
      await researchExecutions.get(execution.id);

      researchExecutions.remove(execution);

      await expect(transcripts.getDetail(execution.id, 'a')).rejects.toBeInstanceOf(NotFoundError);
      expect(await transcripts.getDetail(other.id, 'a')).toMatchObject({ synthId: 'a' });
    }));
});

// Keys and seconds in an order that is neither that of the keys nor that of the times.
const shuffled = [
  ['b', 1],
  ['c', 2],
  ['a', 1],
  ['d', 1],
] as const;

function at(second: number): Date {
  return new Date(Date.UTC(2026, 0, 1, 0, 0, second));
}
