import type { Kysely } from '@mikro-orm/postgresql';
import type { Tables } from '../entities/tables.ts';
import type { TranscriptMessages } from '../entities/transcript.ts';
import type { Position } from './cursor.ts';
import { exactInstant, instant, instantColumn } from './exact-columns.ts';

/** A transcript as lists show it. */
export interface TranscriptSummary {
  readonly id: string;
  readonly synthId: string;
  /** The synth's name when it was interviewed. */
  readonly synthName: string;
  readonly status: string;
  /** Questions that were answered. */
  readonly turnCount: number;
  readonly recordedAt: Date;
}

/** A transcript with what was said, in the order in which it was. */
export interface TranscriptDetail extends TranscriptSummary {
  readonly executionId: string;
  /** Every message has a speaker (`Unknown` where none was stored), a text and notes. */
  readonly messages: TranscriptMessages;
}

const summaryColumns = [
  'transcripts.id',
  'transcripts.synth_id',
  'transcripts.synth_name',
  'transcripts.status',
  'transcripts.turn_count',
  instantColumn('transcripts.timestamp'),
] as const;

/** Which of an execution's transcripts, and in what order. */
interface Part {
  readonly sortBy: 'timestamp' | 'synth_name' | 'turn_count';
  readonly sortOrder: 'asc' | 'desc';
  readonly limit: number;
  readonly offset?: number | undefined;
  readonly from?: Position | null | undefined;
}

/**
 * A row for each of the execution's transcripts that are asked for, with how many it has in all; one row without a transcript when
 * there are none, and no row when there is no such execution.
 */
export function transcriptsOf(
  db: Kysely<Tables>,
  execution: string,
  { sortBy, sortOrder, limit, offset = 0, from }: Part,
) {
  return db
    .selectFrom('research_executions')
    .leftJoinLateral(
      (eb) => {
        const transcripts = eb
          .selectFrom('transcripts')
          .select([...summaryColumns, 'transcripts.timestamp'])
          .whereRef('transcripts.exec_id', '=', 'research_executions.exec_id')
          .orderBy(`transcripts.${sortBy}`, sortOrder)
          .orderBy('transcripts.id', sortOrder)
          .limit(limit)
          .offset(offset);
        const rest = from
          ? transcripts.where((on) =>
              on(on.refTuple('transcripts.timestamp', 'transcripts.id'), '<', on.tuple(from.at, from.key)),
            )
          : transcripts;
        return rest.as('transcript');
      },
      (join) => join.onTrue(),
    )
    .selectAll('transcript')
    .select((eb) =>
      eb
        .selectFrom('transcripts')
        .select((count) => count.cast<number>(count.fn.countAll(), 'integer').as('count'))
        .whereRef('transcripts.exec_id', '=', 'research_executions.exec_id')
        .as('total'),
    )
    .where('research_executions.exec_id', '=', execution)
    .orderBy(`transcript.${sortBy}`, sortOrder)
    .orderBy('transcript.id', sortOrder);
}

export function details(db: Kysely<Tables>) {
  return db.selectFrom('transcripts').select(summaryColumns).select(['exec_id', 'messages']);
}

type ExecutionRow = Awaited<ReturnType<ReturnType<typeof transcriptsOf>['execute']>>[number];
type DetailRow = Awaited<ReturnType<ReturnType<typeof details>['execute']>>[number];
type SummaryRow = Omit<DetailRow, 'exec_id' | 'messages'>;

/** Whether the row has a transcript: its columns are there together, or none is. */
export function hasTranscript(row: ExecutionRow): row is ExecutionRow & SummaryRow {
  return row.id !== null;
}

export function positionOf(row: SummaryRow): Position {
  return { at: exactInstant(row.timestamp_hex), key: row.id };
}

export function toSummary(row: SummaryRow): TranscriptSummary {
  return {
    id: row.id,
    synthId: row.synth_id,
    synthName: row.synth_name,
    status: row.status,
    turnCount: row.turn_count,
    recordedAt: instant(row.timestamp_hex),
  };
}

export function toDetail(row: DetailRow): TranscriptDetail {
  // What was stored before messages had a shape may lack any part.
  const messages: readonly Partial<TranscriptMessages[number]>[] = row.messages ?? [];
  return {
    ...toSummary(row),
    executionId: row.exec_id,
    messages: messages.map((message) => ({
      ...message,
      speaker: message.speaker ?? 'Unknown',
      text: message.text ?? '',
      internal_notes: message.internal_notes ?? null,
    })),
  };
}
