import type { documentStatuses, documentTypes } from '../entities/experiment-document.ts';
import { readModel, type ShownBy } from './read-model/read-model.ts';

/** What kind of text a document is. An experiment has one document of each kind at most. */
export type DocumentType = (typeof documentTypes)[number];

/** How far a document is. */
export type DocumentStatus = (typeof documentStatuses)[number];

export const documentSummaries = readModel({
  from: 'experiment_documents',
  select: {
    id: 'id',
    documentType: 'document_type',
    status: 'status',
    /** When its generation began, or was completed. */
    generatedAt: 'generated_at',
    model: 'model',
    /** Why it failed; null unless it did. */
    errorMessage: 'error_message',
  },
  sorts: { generatedAt: 'generated_at' },
  filters: (by) => ({ experiment: by.owner('experiment_id') }),
});

/** A document as lists show it: without its text. */
export type DocumentSummary = ShownBy<typeof documentSummaries>;
