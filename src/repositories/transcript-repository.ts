import type { EntityManager } from '@mikro-orm/postgresql';
import { Transcript, type TranscriptMessages } from '../entities/transcript.ts';
import type { CursorPage, CursorRequest, Page, PageRequest } from './read-model/page.ts';
import { Repository } from './repository.ts';
import {
  transcriptDetails,
  transcriptSummaries,
  type TranscriptDetail,
  type TranscriptSortKey,
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
  /** The messages in order: question and answer alternate. */
  readonly messages: TranscriptMessages;
  /** Default `completed`. */
  readonly status?: string | undefined;
  /** Default now. */
  readonly recordedAt?: Date | undefined;
}

/** Transcripts of interviews with synths. */
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
   * Returns the transcript of one synth in an execution.
   *
   * @throws NotFoundError when the execution has no transcript of the synth.
   */
  async getDetail(execution: string, synth: string): Promise<TranscriptDetail> {
    const detail = await this.ask(transcriptDetails).first({ execution, synth });
    return this.must(detail, { execution, synth });
  }

  /**
   * Summaries of an execution's transcripts by page, newest first by default (`recordedAt`, `synthName`, `turnCount`).
   *
   * @throws NotFoundError when there is no such execution; InvalidPageError.
   */
  pageSummaries(
    execution: string,
    request: PageRequest<TranscriptSortKey> = {},
  ): Promise<Page<TranscriptSummary>> {
    return this.ask(transcriptSummaries).page({ ...request, execution });
  }

  /**
   * Summaries of an execution's transcripts by cursor page, sorted as pages are.
   *
   * @throws NotFoundError when there is no such execution; InvalidPageError.
   */
  scrollSummaries(
    execution: string,
    request: CursorRequest<TranscriptSortKey> = {},
  ): Promise<CursorPage<TranscriptSummary>> {
    return this.ask(transcriptSummaries).scroll({ ...request, execution });
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
      {
        request: optional(fields<PageRequest<TranscriptSortKey>>(pageRequest(transcriptSummaries.sortKeys))),
      },
    ),
    scrollSummaries: reads(
      { execution: Key },
      {
        request: optional(
          fields<CursorRequest<TranscriptSortKey>>(cursorRequest(transcriptSummaries.sortKeys)),
        ),
      },
    ),
    countTurnsBatch: reads({ executions: arrayOf(Key) }),
  } satisfies Signatures<TranscriptRepository>;
}
