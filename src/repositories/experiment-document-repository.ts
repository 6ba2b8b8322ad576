import type { EntityManager } from '@mikro-orm/postgresql';
import { documentTypes, ExperimentDocument } from '../entities/experiment-document.ts';
import { shapes } from '../entities/load-shapes.ts';
import type { JsonObject } from '../entities/shapes.ts';
import type { Tables } from '../entities/tables.ts';
import { ContentionError } from '../errors.ts';
import { checkDocument } from '../json/check-shape.ts';
import {
  FinishedDocument,
  GenerationOutcome,
  GenerationStart,
  type Generation,
} from './document-generation.ts';
import {
  documentSummaries,
  type DocumentStatus,
  type DocumentSummary,
  type DocumentType,
} from './document-summary.ts';
import { textOfHex } from '../wire/instant.ts';
import { instantColumn, textOfTime } from './exact-columns.ts';
import { generateKey } from './generate-key.ts';
import { Repository } from './repository.ts';
import { Key, oneOf, reads, rowMethods, stages, Text, writes, type Signatures } from './signatures/index.ts';

export type * from './document-summary.ts';
export type * from './document-generation.ts';

/** Texts generated for experiments: one of each type at most. Those of a deleted experiment are still returned by its key. */
export class ExperimentDocumentRepository extends Repository<ExperimentDocument> {
  constructor(em: EntityManager) {
    super(em, ExperimentDocument);
  }

  /** Returns this experiment's document of this type, to be modified; null if none exists. */
  findByType(experimentId: string, documentType: DocumentType): Promise<ExperimentDocument | null> {
    return this.findOne({ experiment: experimentId, documentType });
  }

  /**
   * Returns this experiment's document of this type, to be modified.
   *
   * @throws NotFoundError if it does not exist.
   */
  async getByType(experimentId: string, documentType: DocumentType): Promise<ExperimentDocument> {
    return this.requireFound(await this.findByType(experimentId, documentType), {
      experimentId,
      documentType,
    });
  }

  /** Returns summaries of all documents of an experiment, latest generated first. */
  listSummaries(experimentId: string): Promise<DocumentSummary[]> {
    return this.read(documentSummaries).list({ experiment: experimentId });
  }

  /** Returns the text of a completed document; null if it does not exist or is in another state. */
  async findMarkdown(experimentId: string, documentType: DocumentType): Promise<string | null> {
    const db = await this.queryForRead();
    const found = await db
      .selectFrom('experiment_documents')
      .select('markdown_content')
      .where('experiment_id', '=', experimentId)
      .where('document_type', '=', documentType)
      .where('status', '=', 'completed')
      .executeTakeFirst();
    return found?.markdown_content ?? null;
  }

  /** Returns the state of a document; null if none exists. */
  async findStatus(experimentId: string, documentType: DocumentType): Promise<DocumentStatus | null> {
    const db = await this.queryForRead();
    const found = await db
      .selectFrom('experiment_documents')
      .select('status')
      .where('experiment_id', '=', experimentId)
      .where('document_type', '=', documentType)
      .executeTakeFirst();
    return found?.status ?? null;
  }

  /** Returns, for each type, whether this experiment has a completed document of it. */
  async existsByType(experimentId: string): Promise<Readonly<Record<DocumentType, boolean>>> {
    const db = await this.queryForRead();
    const rows = await db
      .selectFrom('experiment_documents')
      .select('document_type')
      .where('experiment_id', '=', experimentId)
      .where('status', '=', 'completed')
      .execute();
    const completed = new Set(rows.map((row) => row.document_type));
    return {
      summary: completed.has('summary'),
      prfaq: completed.has('prfaq'),
      executive_summary: completed.has('executive_summary'),
    };
  }

  /**
   * Inserts or replaces the experiment's document of this type, in any state, by one statement, and returns its key. A replaced document
   * keeps its key; its error is cleared.
   *
   * @throws InvalidJsonError when the metadata has the wrong shape.
   */
  async saveDocument(
    experimentId: string,
    documentType: DocumentType,
    { markdown, metadata, model, status = 'completed' }: FinishedDocument,
  ): Promise<string> {
    const text = { markdown_content: markdown, metadata: checked(metadata), model, status };
    const saved = await this.#put(experimentId, documentType, text, 'infinity');
    return this.requireFound(saved, { experimentId, documentType }).id;
  }

  /**
   * Starts the generation of a document, by one statement, and clears its text and its error. Returns null while another generation of the
   * document is in progress: of concurrent calls, one starts it. The worker of an abandoned generation can no longer finish it.
   *
   * @throws InvalidValueError when `abandonedBefore` is an invalid date.
   */
  async startGenerating(
    experimentId: string,
    documentType: DocumentType,
    { model, abandonedBefore }: GenerationStart,
  ): Promise<Generation | null> {
    const text = { markdown_content: '', metadata: null, model, status: 'generating' as const };
    const abandoned = abandonedBefore ? textOfTime('abandonedBefore', abandonedBefore) : '-infinity';
    return this.#put(experimentId, documentType, text, abandoned);
  }

  /**
   * Finishes the generation with this token, by one statement. A text clears the error of the document. Record a failure in a separate
   * transaction if that of the generation is rolled back.
   *
   * @throws ContentionError when the generation is no longer in progress: it was finished, another was started, or a finished text was
   * saved; NotFoundError if the document does not exist; InvalidValueError when the token is not one of `startGenerating`;
   * InvalidJsonError when the metadata has the wrong shape. Nothing is written then.
   */
  async finishGenerating(
    experimentId: string,
    documentType: DocumentType,
    token: string,
    outcome: GenerationOutcome,
  ): Promise<void> {
    const { status, markdown, metadata } = outcome;
    const db = await this.queryForWrite();
    const finished = await db
      .updateTable('experiment_documents')
      .set((eb) => ({
        status,
        error_message: outcome.status === 'failed' ? outcome.error : null,
        ...(markdown !== undefined && { markdown_content: markdown }),
        ...(metadata !== undefined && { metadata: checked(metadata) }),
        ...(status === 'completed' && { generated_at: eb.fn<string>('clock_timestamp') }),
      }))
      .where('experiment_id', '=', experimentId)
      .where('document_type', '=', documentType)
      .where('status', '=', 'generating')
      .where('generated_at', '=', token)
      .returning('id')
      .executeTakeFirst();
    if (finished) return this.reload(finished.id);
    this.requireFound(await this.findStatus(experimentId, documentType), { experimentId, documentType });
    throw new ContentionError('the generation is no longer in progress', { table: 'experiment_documents' });
  }

  /**
   * Stages the removal of this experiment's document of this type.
   *
   * @throws NotFoundError if it does not exist.
   */
  async removeByType(experimentId: string, documentType: DocumentType): Promise<void> {
    this.remove(await this.getByType(experimentId, documentType));
  }

  // Returns the saved document with its time; null where a generation is in progress that started at `abandoned` or later.
  async #put(
    experimentId: string,
    documentType: DocumentType,
    text: Pick<Tables['experiment_documents'], 'markdown_content' | 'metadata' | 'model' | 'status'>,
    abandoned: string,
  ): Promise<Generation | null> {
    const db = await this.queryForWrite();
    const put = await db
      .insertInto('experiment_documents')
      .values(({ fn }) => ({
        id: generateKey(this.em, ExperimentDocument),
        experiment_id: experimentId,
        document_type: documentType,
        ...text,
        generated_at: fn<string>('clock_timestamp'),
        row_version: 1,
      }))
      .onConflict((conflict) =>
        conflict
          .columns(['experiment_id', 'document_type'])
          .doUpdateSet((eb) => ({
            ...text,
            error_message: null,
            generated_at: eb.ref('excluded.generated_at'),
          }))
          .where((eb) =>
            eb('experiment_documents.status', '<>', 'generating').or(
              'experiment_documents.generated_at',
              '<',
              abandoned,
            ),
          ),
      )
      // Exact to the microsecond and set by each start, so that it identifies a generation. An edit does not change it.
      .returning(['id', instantColumn('generated_at', 'began')])
      .executeTakeFirst();
    if (!put) return null;
    await this.reload(put.id);
    return { id: put.id, token: textOfHex(put.began) };
  }

  static readonly signatures = {
    ...rowMethods(ExperimentDocument),
    findByType: reads({ experimentId: Key }, { documentType: oneOf(documentTypes) }),
    getByType: reads({ experimentId: Key }, { documentType: oneOf(documentTypes) }),
    listSummaries: reads({ experimentId: Key }),
    findMarkdown: reads({ experimentId: Key }, { documentType: oneOf(documentTypes) }),
    findStatus: reads({ experimentId: Key }, { documentType: oneOf(documentTypes) }),
    existsByType: reads({ experimentId: Key }),
    saveDocument: writes(
      { experimentId: Key },
      { documentType: oneOf(documentTypes) },
      { document: FinishedDocument },
    ),
    startGenerating: writes(
      { experimentId: Key },
      { documentType: oneOf(documentTypes) },
      { start: GenerationStart },
    ),
    finishGenerating: writes(
      { experimentId: Key },
      { documentType: oneOf(documentTypes) },
      { token: Text },
      { outcome: GenerationOutcome },
    ),
    removeByType: stages({ experimentId: Key }, { documentType: oneOf(documentTypes) }),
  } satisfies Signatures<ExperimentDocumentRepository>;
}

// The statement bypasses the flush, which would check it. Empty metadata is stored as NULL, never as an empty document.
function checked(metadata: JsonObject | null): JsonObject | null {
  if (metadata === null) return null;
  checkDocument('experiment_documents.metadata', shapes().JsonObject, metadata);
  return Object.keys(metadata).length === 0 ? null : metadata;
}
