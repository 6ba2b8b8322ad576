import type { TranscriptMessages } from '../entities/transcript.ts';
import { extended, readModel, type ShownBy, type SortKeyOf } from './read-model/read-model.ts';

export const transcriptSummaries = readModel({
  from: 'transcripts',
  select: {
    id: 'id',
    synthId: 'synth_id',
    /** The synth's name when it was interviewed. */
    synthName: 'synth_name',
    status: 'status',
    /** Questions that were answered. */
    turnCount: 'turn_count',
    recordedAt: 'timestamp',
  },
  sorts: { recordedAt: 'timestamp', synthName: 'synth_name', turnCount: 'turn_count' },
  filters: (by) => ({ execution: by.owner('exec_id', 'research_executions'), synth: 'synth_id' }),
});

export const transcriptDetails = extended(
  transcriptSummaries,
  { executionId: 'exec_id', messages: 'messages' },
  (row) => ({ ...row, messages: complete(row.messages) }),
);

export type TranscriptSortKey = SortKeyOf<typeof transcriptSummaries>;

/** A transcript as lists show it. */
export type TranscriptSummary = ShownBy<typeof transcriptSummaries>;

/** A transcript with what was said, in order. Every message has a speaker (`Unknown` where none was stored), a text and notes. */
export type TranscriptDetail = ShownBy<typeof transcriptDetails>;

// What was stored before messages had a shape may lack any part.
function complete(stored: readonly Partial<TranscriptMessages[number]>[] | null): TranscriptMessages {
  return (stored ?? []).map((message) => ({
    ...message,
    speaker: message.speaker ?? 'Unknown',
    text: message.text ?? '',
    internal_notes: message.internal_notes ?? null,
  }));
}
