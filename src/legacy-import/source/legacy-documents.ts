import type { TargetTable } from '../destination/target-table.ts';
import type { LegacySource, SourceRow, SourceValue } from './legacy-source.ts';
import { documentType } from './later-documents.ts';
import { columnsOf, read, type NamedRow } from './read-rows.ts';
import { sortableTime } from './sortable-time.ts';

/** Where older versions kept documents, with a row for each execution. */
interface Part {
  /** A table (`a`), or a column of one (`a.b`). */
  readonly name: string;
  readonly type: 'prfaq' | 'summary';
  readonly table: string;
  readonly columns: readonly string[];
  /** Whether a row has a document. */
  readonly has: (row: NamedRow) => boolean;
  readonly time: (row: NamedRow) => SourceValue;
  /** The columns of the document that the row has. */
  readonly document: (row: NamedRow) => NamedRow;
}

const parts: readonly Part[] = [
  {
    name: 'prfaq_metadata',
    type: 'prfaq',
    table: 'prfaq_metadata',
    columns: [
      'exec_id',
      'status',
      'markdown_content',
      'generated_at',
      'started_at',
      'model',
      'headline',
      'one_liner',
      'faq_count',
      'confidence_score',
      'validation_status',
      'json_content',
    ],
    // The version that added the status gave it to the documents that there were.
    has: ({ status, markdown_content }) =>
      (status ?? 'completed') === 'completed' && isText(markdown_content),
    time: ({ generated_at, started_at }) => generated_at ?? started_at ?? null,
    document: (row) => ({
      markdown_content: row['markdown_content'] ?? null,
      model: row['model'] ?? null,
      metadata: metadataOf(row),
    }),
  },
  {
    name: 'research_executions.summary_content',
    type: 'summary',
    table: 'research_executions',
    columns: ['exec_id', 'summary_content', 'completed_at', 'started_at', 'model'],
    has: ({ summary_content }) => isText(summary_content),
    time: ({ completed_at, started_at }) => completed_at ?? started_at ?? null,
    document: ({ summary_content, model }) => ({
      markdown_content: summary_content ?? null,
      model: model ?? null,
    }),
  },
];

/** The newest document of an experiment and a type. */
interface Chosen {
  readonly execution: string;
  readonly time: string;
}

/**
 * The documents of executions that older versions kept elsewhere than in `experiment_documents`. The newest completed one of each experiment
 * and type becomes a document, unless the experiment has such a document already; the others stay behind.
 */
export class LegacyDocuments {
  /** How many become documents. */
  readonly count: number;
  readonly #source: LegacySource;
  readonly #experiments: ReadonlyMap<string, string>;
  readonly #chosen: ReadonlyMap<string, ReadonlySet<string>>;

  private constructor(
    source: LegacySource,
    experiments: ReadonlyMap<string, string>,
    chosen: ReadonlyMap<string, ReadonlySet<string>>,
  ) {
    this.#source = source;
    this.#experiments = experiments;
    this.#chosen = chosen;
    this.count = [...chosen.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * Finds the documents, without keeping their texts.
   *
   * @throws LegacySourceError when the source can't be read.
   */
  static async find(source: LegacySource): Promise<LegacyDocuments> {
    const found = parts.filter((part) => partExists(source, part));
    const experiments = new Map<string, string>();
    const chosen = new Map<string, ReadonlySet<string>>();
    if (found.length === 0) return new LegacyDocuments(source, experiments, chosen);
    for await (const { exec_id, experiment_id } of read(source, 'research_executions', [
      'exec_id',
      'experiment_id',
    ]))
      if (typeof exec_id === 'string' && typeof experiment_id === 'string')
        experiments.set(exec_id, experiment_id);
    const taken = new Set<string>();
    for await (const { experiment_id, document_type } of read(source, 'experiment_documents', [
      'id',
      'experiment_id',
      'document_type',
    ]))
      if (typeof document_type === 'string' && typeof experiment_id === 'string')
        taken.add(`${documentType(document_type)} ${experiment_id}`);
    for (const part of found) {
      const newest = new Map<string, Chosen>();
      for await (const row of read(source, part.table, part.columns)) {
        const execution = row['exec_id'];
        const experiment = typeof execution === 'string' ? experiments.get(execution) : undefined;
        if (typeof execution !== 'string' || experiment === undefined || !part.has(row)) continue;
        if (taken.has(`${part.type} ${experiment}`)) continue;
        const time = sortableTime(part.time(row));
        const other = newest.get(experiment);
        if (!other || time > other.time) newest.set(experiment, { execution, time });
      }
      chosen.set(part.name, new Set([...newest.values()].map(({ execution }) => execution)));
    }
    return new LegacyDocuments(source, experiments, chosen);
  }

  /** Returns how many rows of a part became documents; zero for another table or column. */
  countOf(part: string): number {
    return this.#chosen.get(part)?.size ?? 0;
  }

  /** Whether the row of an execution becomes a document. */
  includes(part: string, execution: SourceValue | undefined): boolean {
    return typeof execution === 'string' && (this.#chosen.get(part)?.has(execution) ?? false);
  }

  /** Yields the documents as rows of `experiment_documents`. Their keys are derived. */
  async *rows({ columns }: TargetTable): AsyncGenerator<readonly SourceRow[]> {
    for (const part of parts) {
      if (!this.#chosen.has(part.name)) continue;
      for await (const row of read(this.#source, part.table, part.columns)) {
        const execution = row['exec_id'];
        if (typeof execution !== 'string' || !this.includes(part.name, execution)) continue;
        const document: NamedRow = {
          ...part.document(row),
          experiment_id: this.#experiments.get(execution) ?? null,
          document_type: part.type,
          generated_at: part.time(row),
          status: 'completed',
        };
        const values = columns.map(({ name }) => document[name] ?? null);
        yield [{ values, place: `${part.name} ${execution}`, inCycle: false }];
      }
    }
  }
}

function partExists(source: LegacySource, { name, table }: Part): boolean {
  const column = name === table ? 'exec_id' : name.slice(table.length + 1);
  return columnsOf(source, table, [column]).length > 0;
}

function isText(value: SourceValue | undefined): boolean {
  return typeof value === 'string' && value.trim() !== '';
}

const described = ['headline', 'one_liner', 'faq_count', 'confidence_score', 'validation_status'] as const;
const numbers: ReadonlySet<string> = new Set(['faq_count', 'confidence_score']);

/** Returns what else is known of a PR-FAQ as a JSON object: its texts and numbers, and its content in JSON. */
function metadataOf(row: NamedRow): string {
  const members = described.flatMap((name) => {
    const value = row[name] ?? null;
    // PostgreSQL gives them as texts.
    if (typeof value === 'string' && numbers.has(name) && Number.isFinite(Number(value)) && isJson(value))
      return `"${name}": ${value}`;
    if (typeof value === 'string') return `"${name}": ${JSON.stringify(value)}`;
    return typeof value === 'number' || typeof value === 'bigint' ? `"${name}": ${value}` : [];
  });
  const content = row['json_content'];
  if (typeof content === 'string')
    members.push(`"content": ${isJson(content) ? content : JSON.stringify(content)}`);
  return `{${members.join(', ')}}`;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
