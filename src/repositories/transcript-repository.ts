import type { EntityManager } from '@mikro-orm/postgresql';
import type { TranscriptMessages } from '../entities/shapes.ts';
import { Transcript } from '../entities/transcript.ts';
import type {
  CursorPage,
  CursorRequest,
  Page,
  PageRequest,
  PageTotal,
  StreamRequest,
} from './read-model/page.ts';
import type { RowStream } from './read-model/row-stream.ts';
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
  pageOf,
  rowMethods,
  cursorOf,
  streamOf,
  Text,
  reads,
  streams,
  stages,
  synchronous,
  type Signatures,
} from './signatures/index.ts';

export type * from './transcript-summary.ts';

/** A finished interview. */
export interface Interview {
  readonly synthId: string;
  readonly synthName: string;
  /** The messages in order; questions and answers alternate. */
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
   * Stages the transcript of an interview. Two messages are one turn. The flush rejects messages of the wrong shape (`InvalidJsonError`), a
   * second transcript of the synth in the execution (`DuplicateError`), and an execution that does not exist (`DanglingReferenceError`).
   */
  addInterview(execution: string, interview: Interview): Transcript {
    const { synthId, synthName, messages, status = 'completed', recordedAt = new Date() } = interview;
    const turnCount = Math.floor(messages.length / 2);
    return this.add({ execution, synthId, synthName, messages, status, recordedAt, turnCount });
  }

  /**
   * Returns the transcript of one synth in an execution.
   *
   * @throws NotFoundError if it does not exist.
   */
  async getDetail(execution: string, synth: string): Promise<TranscriptDetail> {
    const detail = await this.read(transcriptDetails).first({ execution, synth });
    return this.requireFound(detail, { execution, synth });
  }

  /**
   * Returns an offset page of an execution's transcripts, newest first by default (`recordedAt`, `synthName`, `turnCount`).
   *
   * @throws NotFoundError if the execution does not exist; InvalidPageError.
   */
  pageSummaries<Total extends PageTotal = 'exact'>(
    execution: string,
    request: PageRequest<TranscriptSortKey, Total> = {},
  ): Promise<Page<TranscriptSummary, Total>> {
    return this.read(transcriptSummaries).page({ ...request, execution });
  }

  /**
   * Returns a cursor page of an execution's transcripts, sorted as offset pages are.
   *
   * @throws NotFoundError if the execution does not exist; InvalidPageError.
   */
  scrollSummaries(
    execution: string,
    request: CursorRequest<TranscriptSortKey> = {},
  ): Promise<CursorPage<TranscriptSummary>> {
    return this.read(transcriptSummaries).scroll({ ...request, execution });
  }

  /**
   * Returns a stream of all transcripts of an execution, sorted as offset pages are. It has none if the execution does not exist.
   *
   * @throws InvalidPageError
   */
  streamSummaries(
    execution: string,
    request: StreamRequest<TranscriptSortKey> = {},
  ): RowStream<TranscriptSummary> {
    return this.read(transcriptSummaries).stream({ ...request, execution });
  }

  /**
   * Returns a stream of all transcripts of an execution with their messages, sorted as offset pages are. It has none if the execution does not
   * exist.
   *
   * @throws InvalidPageError
   */
  streamDetails(
    execution: string,
    request: StreamRequest<TranscriptSortKey> = {},
  ): RowStream<TranscriptDetail> {
    return this.read(transcriptDetails).stream({ ...request, execution });
  }

  /** Returns the number of turns in all transcripts of each execution, by key. An execution without transcripts is omitted. */
  async countTurnsBatch(executions: readonly string[]): Promise<Map<string, number>> {
    if (executions.length === 0) return new Map();
    const db = await this.queryForRead();
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
        request: pageOf(transcriptSummaries),
      },
    ),
    scrollSummaries: reads(
      { execution: Key },
      {
        request: cursorOf(transcriptSummaries),
      },
    ),
    streamSummaries: streams({ execution: Key }, { request: streamOf(transcriptSummaries) }),
    streamDetails: streams({ execution: Key }, { request: streamOf(transcriptDetails) }),
    countTurnsBatch: reads({ executions: arrayOf(Key) }),
  } satisfies Signatures<TranscriptRepository>;
}
