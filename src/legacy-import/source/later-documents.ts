import type { LegacySource, SourceValue } from './legacy-source.ts';
import { columnsOf, read } from './read-rows.ts';
import { sortableTime } from './sortable-time.ts';

const table = 'experiment_documents';

/** The types that the old system gave documents in PostgreSQL, where an experiment had one for each interview or exploration. */
const types: Readonly<Record<string, string>> = {
  research_summary: 'summary',
  exploration_summary: 'summary',
  research_prfaq: 'prfaq',
  exploration_prfaq: 'prfaq',
};

/** Returns the type of a document here; a type that is the same here, or unknown, unchanged. */
export function documentType(type: string): string {
  return types[type] ?? type;
}

/**
 * The documents of an old PostgreSQL database whose types say where they came from. An experiment has one of each type here: the newest,
 * rather a completed one. The others stay behind, as does `source_id`, which says of which interview or exploration a document is.
 */
export class LaterDocuments {
  /** What stays behind, as a part that is skipped. */
  static readonly part = `${table}.source_id`;
  /** How many rows stay behind, or the `source_id` of which does. */
  readonly count: number;
  /** How many get another type. */
  readonly retyped: number;
  /** The keys of the rows that stay behind. */
  readonly left: ReadonlySet<SourceValue>;

  private constructor(
    left: ReadonlySet<SourceValue>,
    { retyped, count }: { retyped: number; count: number },
  ) {
    this.left = left;
    this.retyped = retyped;
    this.count = count;
  }

  /**
   * Finds the documents, without keeping their texts.
   *
   * @throws LegacySourceError when the source can't be read.
   */
  static async find(source: LegacySource): Promise<LaterDocuments> {
    const columns = ['id', 'experiment_id', 'document_type', 'status', 'generated_at', 'source_id'];
    const later: SourceValue[] = [];
    const taken = new Set<string>();
    const best = new Map<string, { readonly id: SourceValue; readonly rank: string }>();
    const sources = new Set<SourceValue>();
    if (columnsOf(source, table, ['id', 'document_type']).length < 2)
      return new LaterDocuments(new Set(), { retyped: 0, count: 0 });
    for await (const row of read(source, table, columns)) {
      const { id = null, experiment_id: experiment, document_type: type } = row;
      if ((row['source_id'] ?? null) !== null) sources.add(id);
      if (typeof type !== 'string' || typeof experiment !== 'string') continue;
      const place = `${documentType(type)} ${experiment}`;
      if (documentType(type) === type) {
        taken.add(place);
        continue;
      }
      later.push(id);
      const rank = `${row['status'] === 'completed' ? 1 : 0} ${sortableTime(row['generated_at'] ?? null)}`;
      const other = best.get(place);
      if (!other || rank > other.rank) best.set(place, { id, rank });
    }
    const chosen = new Set([...best].filter(([place]) => !taken.has(place)).map(([, { id }]) => id));
    const left = new Set(later.filter((id) => !chosen.has(id)));
    return new LaterDocuments(left, { retyped: chosen.size, count: new Set([...left, ...sources]).size });
  }

  /** What is changed in them, one sentence each. */
  get notes(): readonly string[] {
    if (this.retyped === 0) return [];
    const pairs = Object.entries(types).map(([from, to]) => `${from} is ${to}`);
    return [`${this.retyped} rows of ${table} get the type that they have here: ${pairs.join(', ')}`];
  }
}
