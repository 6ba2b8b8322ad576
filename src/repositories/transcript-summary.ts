import type { TranscriptMessages } from '../entities/shapes.ts';
import { extended, readModel, type ShownBy, type SortKeyOf } from './read-model/read-model.ts';

export const transcriptSummaries = readModel({
  from: 'transcripts',
  select: {
    id: 'id',
    synthId: 'synth_id',
    /** The name of the synth at the time of the interview. */
    synthName: 'synth_name',
    status: 'status',
    /** The number of answered questions. */
    turnCount: 'turn_count',
    recordedAt: 'timestamp',
  },
  sorts: { recordedAt: 'timestamp', synthName: 'synth_name', turnCount: 'turn_count' },
  filters: (by) => ({ execution: by.parent('exec_id', 'research_executions'), synth: 'synth_id' }),
});

export const transcriptDetails = extended(
  transcriptSummaries,
  { executionId: 'exec_id', messages: 'messages' },
  (row) => ({ ...row, messages: complete(row.messages) }),
  // An interview may have megabytes of messages.
  20,
);

export type TranscriptSortKey = SortKeyOf<typeof transcriptSummaries>;

/** A transcript in lists, without its messages. */
export type TranscriptSummary = ShownBy<typeof transcriptSummaries>;

/** A transcript with its messages, in order. A message has a speaker (`Unknown` if none was stored), a text and notes. */
export type TranscriptDetail = ShownBy<typeof transcriptDetails>;

// Messages stored by older versions may lack any field.
function complete(stored: readonly Partial<TranscriptMessages[number]>[] | null): TranscriptMessages {
  return (stored ?? []).map((message) => ({
    ...message,
    speaker: message.speaker ?? 'Unknown',
    text: message.text ?? '',
    internal_notes: message.internal_notes ?? null,
  }));
}
