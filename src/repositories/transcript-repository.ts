import type { EntityManager } from '@mikro-orm/postgresql';
import { ResearchExecution } from '../entities/research-execution.ts';
import { Transcript, type TranscriptMessages } from '../entities/transcript.ts';
import { NotFoundError } from '../errors.ts';
import { checkedPage, type Page, type PageRequest, type CursorPage, type CursorRequest } from './page.ts';
import { startOf, toCursorPage } from './read-page.ts';
import { Repository } from './repository.ts';
import {
  details,
  hasTranscript,
  positionOf,
  toDetail,
  toSummary,
  transcriptsOf,
  type TranscriptDetail,
  type TranscriptSummary,
} from './transcript-summary.ts';
import {
  documentList,
  fields,
  Instant,
  Key,
  arrayOf,
  optional,
  pageRequest,
  rowMethods,
  cursorRequest,
  Text,
  reads,
  stages,
  synchronous,
  type Signatures,
} from './signatures/index.ts';

/** An interview that took place. */
export interface Interview {
  readonly synthId: string;
  readonly synthName: string;
  /** What was said, in order: question and answer in turns. */
  readonly messages: TranscriptMessages;
  /** Default `completed`. */
  readonly status?: string | undefined;
  /** Default now. */
  readonly recordedAt?: Date | undefined;
}

const sortKeys = ['recordedAt', 'synthName', 'turnCount'] as const;
const sortColumns = { recordedAt: 'timestamp', synthName: 'synth_name', turnCount: 'turn_count' } as const;

/** What synths and their interviewers said. */
export class TranscriptRepository extends Repository<Transcript> {
  constructor(em: EntityManager) {
    super(em, Transcript);
  }

  /**
   * Stages the transcript of an interview. Its turns are counted in full: two messages each. The flush refuses messages out of
   * shape, a second transcript of the synth in the execution, and an execution that does not exist.
   */
  addInterview(execution: string, interview: Interview): Transcript {
    const { synthId, synthName, messages, status = 'completed', recordedAt = new Date() } = interview;
    const turnCount = Math.floor(messages.length / 2);
    return this.add({ execution, synthId, synthName, messages, status, recordedAt, turnCount });
  }

  /**
   * What one synth said in an execution.
   *
   * @throws NotFoundError when the execution has no transcript of the synth.
   */
  async getDetail(execution: string, synth: string): Promise<TranscriptDetail> {
    const row = await details(await this.rows())
      .where('exec_id', '=', execution)
      .where('synth_id', '=', synth)
      .executeTakeFirst();
    return toDetail(this.must(row, { execution, synth }));
  }

  /**
   * Summaries of an execution's transcripts by page, newest first unless sorted otherwise (`recordedAt`, `synthName`, `turnCount`).
   *
   * @throws NotFoundError when there is no such execution; InvalidPageError.
   */
  async pageSummaries(
    execution: string,
    request: PageRequest<(typeof sortKeys)[number]> = {},
  ): Promise<Page<TranscriptSummary>> {
    const { limit, offset, sortBy, sortOrder } = checkedPage(request, sortKeys);
    const rows = await transcriptsOf(await this.rows(), execution, {
      sortBy: sortColumns[sortBy],
      sortOrder,
      limit,
      offset,
    }).execute();
    const [first] = rows;
    if (!first) throw new NotFoundError(ResearchExecution.name, execution);
    const data = rows.filter(hasTranscript).map(toSummary);
    const total = first.total ?? 0;
    return { data, pagination: { total, limit, offset, hasNext: offset + data.length < total } };
  }

  /**
   * Summaries of an execution's transcripts newest first, from a cursor on.
   *
   * @throws NotFoundError when there is no such execution; InvalidPageError.
   */
  async scrollSummaries(
    execution: string,
    request: CursorRequest = {},
  ): Promise<CursorPage<TranscriptSummary>> {
    const list = `transcripts:${execution}`;
    const { from, first } = startOf(list, request);
    const rows = await transcriptsOf(await this.rows(), execution, {
      sortBy: 'timestamp',
      sortOrder: 'desc',
      limit: first + 1,
      from,
    }).execute();
    if (rows.length === 0) throw new NotFoundError(ResearchExecution.name, execution);
    return toCursorPage(list, rows.filter(hasTranscript), first, positionOf, toSummary);
  }

  /**
   * How many turns each of the executions has in all its transcripts, by key. An execution without transcripts is left out.
   */
  async countTurnsBatch(executions: readonly string[]): Promise<Map<string, number>> {
    if (executions.length === 0) return new Map();
    const db = await this.rows();
    const rows = await db
      .selectFrom('transcripts')
      .select((eb) => ['exec_id', eb.cast<number>(eb.fn.sum('turn_count'), 'integer').as('turns')])
      .where((eb) => eb('exec_id', '=', eb.fn.any(eb.val(executions))))
      .groupBy('exec_id')
      .orderBy('exec_id')
      .execute();
    return new Map(rows.map((row) => [row.exec_id, row.turns]));
  }

  static readonly signatures = {
    ...rowMethods(Transcript),
    addInterview: synchronous(
      stages(
        { execution: Key },
        {
          interview: fields<Interview>({
            synthId: Key,
            synthName: Text,
            messages: documentList<TranscriptMessages>(),
            status: optional(Text),
            recordedAt: optional(Instant),
          }),
        },
      ),
    ),
    getDetail: reads({ execution: Key }, { synth: Key }),
    pageSummaries: reads(
      { execution: Key },
      { request: optional(fields<PageRequest<(typeof sortKeys)[number]>>(pageRequest(sortKeys))) },
    ),
    scrollSummaries: reads({ execution: Key }, { request: optional(fields<CursorRequest>(cursorRequest)) }),
    countTurnsBatch: reads({ executions: arrayOf(Key) }),
  } satisfies Signatures<TranscriptRepository>;
}
