import type { documentStatuses, documentTypes } from '../entities/experiment-document.ts';
import { readModel, type ShownBy } from './read-model/read-model.ts';

/** The type of a document. An experiment has one document of each type at most. */
export type DocumentType = (typeof documentTypes)[number];

/** The state of a document. */
export type DocumentStatus = (typeof documentStatuses)[number];

export const documentSummaries = readModel({
  from: 'experiment_documents',
  select: {
    id: 'id',
    documentType: 'document_type',
    status: 'status',
    /** When its generation started, or was completed. */
    generatedAt: 'generated_at',
    model: 'model',
    /** Why its generation failed; null otherwise. */
    errorMessage: 'error_message',
  },
  sorts: { generatedAt: 'generated_at' },
  filters: (by) => ({ experiment: by.parent('experiment_id') }),
});

/** A document without its text. */
export type DocumentSummary = ShownBy<typeof documentSummaries>;
