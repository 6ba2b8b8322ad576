import type { JsonObject } from '../entities/shapes.ts';
import { byStatus, document, fields, Instant, nullable, oneOf, optional, Text } from './signatures/index.ts';

/** A finished text, as it is to be stored. No metadata is null, or empty. */
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

/** How a text is going to be generated. */
export interface GenerationStart {
  readonly model: string;
  /** A generation that began before this moment counts as abandoned, and is begun anew. Default: none does. */
  readonly abandonedBefore?: Date | undefined;
}

export const GenerationStart = fields<GenerationStart>({ model: Text, abandonedBefore: optional(Instant) });

/** A generation that is under way. */
export interface Generation {
  /** The key of its document, which the document keeps. */
  readonly id: string;
  /** Tells it from the document's other generations; whoever ends it shows this. */
  readonly token: string;
}

/** How a generation ended. Metadata that is absent stays as it is; null, or empty, clears it. */
export type GenerationOutcome =
  | {
      readonly status: 'completed' | 'partial';
      readonly markdown: string;
      readonly metadata?: JsonObject | null | undefined;
    }
  | {
      readonly status: 'failed';
      readonly error: string;
      /** What there is of the text; absent, what was there stays. */
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
