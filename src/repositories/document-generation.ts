import type { JsonObject } from '../entities/shapes.ts';
import { byStatus, document, fields, Instant, nullable, oneOf, optional, Text } from './signatures/index.ts';

/** A finished text to be saved. Null or empty metadata is stored as NULL. */
export interface FinishedDocument {
  readonly markdown: string;
  readonly metadata: JsonObject | null;
  readonly model: string;
  /** Default `completed`. */
  readonly status?: 'completed' | 'partial' | undefined;
}

export const FinishedDocument = fields<FinishedDocument>({
  markdown: Text,
  metadata: nullable(document<JsonObject>()),
  model: Text,
  status: optional(oneOf(['completed', 'partial'])),
});

/** The start of a generation. */
export interface GenerationStart {
  readonly model: string;
  /** A generation that started before this time counts as abandoned, and is restarted. Default: none does. */
  readonly abandonedBefore?: Date | undefined;
}

export const GenerationStart = fields<GenerationStart>({ model: Text, abandonedBefore: optional(Instant) });

/** A generation in progress. */
export interface Generation {
  /** The key of its document, which never changes. */
  readonly id: string;
  /** Identifies this generation of the document; `finishGenerating` requires it. */
  readonly token: string;
}

/** The outcome of a generation. Absent metadata stays as it is; null or empty metadata clears it. */
export type GenerationOutcome =
  | {
      readonly status: 'completed' | 'partial';
      readonly markdown: string;
      readonly metadata?: JsonObject | null | undefined;
    }
  | {
      readonly status: 'failed';
      readonly error: string;
      /** The incomplete text; when absent, the stored text stays. */
      readonly markdown?: string | undefined;
      readonly metadata?: JsonObject | null | undefined;
    };

const metadata = optional(nullable(document<JsonObject>()));
const finished = fields<Extract<GenerationOutcome, { status: 'completed' | 'partial' }>>({
  status: oneOf(['completed', 'partial']),
  markdown: Text,
  metadata,
});

export const GenerationOutcome = byStatus<GenerationOutcome>({
  completed: finished,
  partial: finished,
  failed: fields<Extract<GenerationOutcome, { status: 'failed' }>>({
    status: oneOf(['failed']),
    error: Text,
    markdown: optional(Text),
    metadata,
  }),
});
