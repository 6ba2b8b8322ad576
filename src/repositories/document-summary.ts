import type { Kysely } from '@mikro-orm/postgresql';
import type { documentStatuses, documentTypes } from '../entities/experiment-document.ts';
import type { Tables } from '../entities/tables.ts';
import { instant, instantColumn } from './exact-columns.ts';

/** What kind of text a document is. An experiment has one document of each kind at most. */
export type DocumentType = (typeof documentTypes)[number];

/** How far a document is. */
export type DocumentStatus = (typeof documentStatuses)[number];

/** A document as lists show it: without its text. */
export interface DocumentSummary {
  readonly id: string;
  readonly documentType: DocumentType;
  readonly status: DocumentStatus;
  /** When its generation began, or was completed. */
  readonly generatedAt: Date;
  readonly model: string;
  /** Why it failed; null unless it did. */
  readonly errorMessage: string | null;
}

/** The documents of an experiment, latest generated first. */
export function documentSummaries(db: Kysely<Tables>, experimentId: string) {
  return db
    .selectFrom('experiment_documents')
    .select(['id', 'document_type', 'status', instantColumn('generated_at'), 'model', 'error_message'])
    .where('experiment_id', '=', experimentId)
    .orderBy('generated_at', 'desc')
    .orderBy('id', 'desc');
}

type Row = Awaited<ReturnType<ReturnType<typeof documentSummaries>['execute']>>[number];

/** A row as lists show it. */
export function toDocumentSummary(row: Row): DocumentSummary {
  return {
    id: row.id,
    documentType: row.document_type,
    status: row.status,
    generatedAt: instant(row.generated_at_hex),
    model: row.model,
    errorMessage: row.error_message,
  };
}
