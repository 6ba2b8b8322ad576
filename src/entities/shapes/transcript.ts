import { z } from 'zod';

/** One message of an interview. */
export const TranscriptMessage = z.looseObject({
  speaker: z.string(),
  text: z.string(),
  internal_notes: z.string().nullish(),
});
export type TranscriptMessage = z.infer<typeof TranscriptMessage>;

/** Shape of `transcripts.messages`, in the order of the interview. */
export const TranscriptMessages = z.array(TranscriptMessage);
export type TranscriptMessages = z.infer<typeof TranscriptMessages>;
