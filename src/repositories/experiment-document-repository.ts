import type { EntityManager } from '@mikro-orm/postgresql';
import { documentTypes, ExperimentDocument } from '../entities/experiment-document.ts';
import { JsonObject } from '../entities/shapes.ts';
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
import { instantColumn, momentOf } from './exact-columns.ts';
import { mintKey } from './mint-key.ts';
import { Repository } from './repository.ts';
import { Key, oneOf, reads, rowMethods, stages, Text, writes, type Signatures } from './signatures/index.ts';

/** Texts generated for experiments, one of each type at most. Those of a deleted experiment can still be reached by its key. */
export class ExperimentDocumentRepository extends Repository<ExperimentDocument> {
  constructor(em: EntityManager) {
    super(em, ExperimentDocument);
  }

  /** This experiment's document of this type, to be changed; null when there is none. */
  findByType(experimentId: string, documentType: DocumentType): Promise<ExperimentDocument | null> {
    return this.one({ experiment: experimentId, documentType });
  }

  /**
   * This experiment's document of this type, to be changed.
   *
   * @throws NotFoundError when there is none.
   */
  async getByType(experimentId: string, documentType: DocumentType): Promise<ExperimentDocument> {
    return this.must(await this.findByType(experimentId, documentType), { experimentId, documentType });
  }

  /** Summaries of all documents of an experiment, latest generated first. */
  listSummaries(experimentId: string): Promise<DocumentSummary[]> {
    return this.ask(documentSummaries).list({ experiment: experimentId });
  }

  /** The text of a completed document; null when there is none, or it is in any other state. */
  async findMarkdown(experimentId: string, documentType: DocumentType): Promise<string | null> {
    const db = await this.rows();
    const found = await db
      .selectFrom('experiment_documents')
      .select('markdown_content')
      .where('experiment_id', '=', experimentId)
      .where('document_type', '=', documentType)
      .where('status', '=', 'completed')
      .executeTakeFirst();
    return found?.markdown_content ?? null;
  }

  /** In what state a document is; null when there is none. */
  async findStatus(experimentId: string, documentType: DocumentType): Promise<DocumentStatus | null> {
    const db = await this.rows();
    const found = await db
      .selectFrom('experiment_documents')
      .select('status')
      .where('experiment_id', '=', experimentId)
      .where('document_type', '=', documentType)
      .executeTakeFirst();
    return found?.status ?? null;
  }

  /** For each type, whether this experiment has a completed document of it. */
  async existsByType(experimentId: string): Promise<Readonly<Record<DocumentType, boolean>>> {
    const db = await this.rows();
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
   * Stores a finished text, by one statement: as the experiment's document of this type, in whatever state that is, or as a new
   * one. An error is cleared. Gives its key, which a document keeps.
   *
   * @throws InvalidJsonError
   */
  async saveDocument(
    experimentId: string,
    documentType: DocumentType,
    { markdown, metadata, model, status = 'completed' }: FinishedDocument,
  ): Promise<string> {
    const text = { markdown_content: markdown, metadata: checked(metadata), model, status };
    const saved = await this.#put(experimentId, documentType, text, 'infinity');
    return this.must(saved, { experimentId, documentType }).id;
  }

  /**
   * Begins to generate a text, by one statement: of two starts at once, one wins and the other learns that it is being generated.
   * What the document held, and its error, are cleared. Gives what `finishGenerating` asks for; null while another generation of it
   * is under way. Whoever worked at one that counts as abandoned can't end it any more.
   *
   * @throws InvalidValueError when `abandonedBefore` is an invalid date.
   */
  async startGenerating(
    experimentId: string,
    documentType: DocumentType,
    { model, abandonedBefore }: GenerationStart,
  ): Promise<Generation | null> {
    const text = { markdown_content: '', metadata: null, model, status: 'generating' as const };
    const abandoned = abandonedBefore ? momentOf('abandonedBefore', abandonedBefore) : '-infinity';
    return this.#put(experimentId, documentType, text, abandoned);
  }

  /**
   * Ends the generation of this token, by one statement. A text clears the error that was there; a failure says what went wrong, and
   * belongs in a transaction of its own where that of the generation is taken back.
   *
   * @throws ContentionError when that generation is not under way any more: it has ended, another was begun in its place, or a
   * finished text was stored; NotFoundError when there is no such document; InvalidValueError when no `startGenerating` gave the
   * token; InvalidJsonError. Nothing is written then.
   */
  async finishGenerating(
    experimentId: string,
    documentType: DocumentType,
    token: string,
    outcome: GenerationOutcome,
  ): Promise<void> {
    const { status, markdown, metadata } = outcome;
    const db = await this.writing();
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
    this.must(await this.findStatus(experimentId, documentType), { experimentId, documentType });
    throw new ContentionError('this generation is not under way any more', { table: 'experiment_documents' });
  }

  /**
   * Stages the removal of this experiment's document of this type.
   *
   * @throws NotFoundError when there is none.
   */
  async removeByType(experimentId: string, documentType: DocumentType): Promise<void> {
    this.remove(await this.getByType(experimentId, documentType));
  }

  // The document that holds the text now, and when that was put; null where one is being generated and that began at `abandoned` or later.
  async #put(
    experimentId: string,
    documentType: DocumentType,
    text: Pick<Tables['experiment_documents'], 'markdown_content' | 'metadata' | 'model' | 'status'>,
    abandoned: string,
  ): Promise<Generation | null> {
    const db = await this.writing();
    const put = await db
      .insertInto('experiment_documents')
      .values(({ fn }) => ({
        id: mintKey(this.em, ExperimentDocument),
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
      // To the microsecond, and moved by each start: no two generations of a document have it in common. An edit leaves it alone.
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

// For a statement that goes past a flush, which would check by itself. No metadata is NULL, never an empty document.
function checked(metadata: JsonObject | null): JsonObject | null {
  if (metadata === null) return null;
  checkDocument('experiment_documents.metadata', JsonObject, metadata);
  return Object.keys(metadata).length === 0 ? null : metadata;
}
