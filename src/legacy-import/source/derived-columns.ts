import type { LegacySource, SourceValue } from './legacy-source.ts';
import { read, type NamedRow } from './read-rows.ts';

/** A column that an older version kept in another form. */
interface Derivation {
  readonly table: string;
  readonly column: string;
  /** The columns of the same table that it is derived from. Those that the newest schema lacks are not left behind. */
  readonly from: readonly string[];
  /** How it is derived, as a clause whose subject is the column. */
  readonly how: string;
  /** Whether the source needs it. */
  readonly applies: (columns: ReadonlySet<string>, source: LegacySource) => Promise<boolean>;
  readonly derive: (
    row: NamedRow,
    names: () => Promise<ReadonlyMap<string, SourceValue>>,
  ) => Promise<SourceValue>;
}

const sections = ['demografia', 'psicografia', 'deficiencias', 'capacidades_tecnologicas'] as const;

const derivations: readonly Derivation[] = [
  {
    table: 'synths',
    column: 'data',
    from: sections,
    how: `is one document of ${sections.join(', ')}`,
    applies: async (columns) => !columns.has('data') && sections.some((name) => columns.has(name)),
    derive: async (row) => documentOf(row),
  },
  {
    table: 'transcripts',
    column: 'synth_name',
    from: ['synth_id', 'synth_name'],
    how: 'is the name of the synth, where the transcript has none',
    applies: async (columns, source) =>
      columns.has('synth_id') &&
      (!columns.has('synth_name') ||
        (await source.countValues('transcripts', 'synth_name')) < (await source.count('transcripts'))),
    derive: async ({ synth_id, synth_name = null }, names) =>
      synth_name === null && typeof synth_id === 'string'
        ? ((await names()).get(synth_id) ?? null)
        : synth_name,
  },
];

/** The values of columns that the source lacks, or has not in every row, and that follow from others, as the old system itself read them. */
export class DerivedColumns {
  readonly #source: LegacySource;
  readonly #found: readonly Derivation[];
  readonly #columns: ReadonlyMap<string, ReadonlySet<string>>;
  #names: Promise<ReadonlyMap<string, SourceValue>> | undefined;

  private constructor(source: LegacySource, found: readonly Derivation[]) {
    this.#source = source;
    this.#found = found;
    this.#columns = new Map(source.tables.map(({ name, columns }) => [name, new Set(columns)]));
  }

  /**
   * Finds what is derived in a source.
   *
   * @throws LegacySourceError when the source can't be read.
   */
  static async find(source: LegacySource): Promise<DerivedColumns> {
    const found: Derivation[] = [];
    for (const derivation of derivations) {
      const table = source.tables.find(({ name }) => name === derivation.table);
      if (table && (await derivation.applies(new Set(table.columns), source))) found.push(derivation);
    }
    return new DerivedColumns(source, found);
  }

  /** What is derived because the source lacks it, one sentence each. */
  get notes(): readonly string[] {
    return this.#found
      .filter(({ table, column }) => !this.#columns.get(table)?.has(column))
      .map(({ table, column, how }) => `${table}.${column} ${how}`);
  }

  /** Whether a column is derived. */
  has(table: string, column: string): boolean {
    return this.#of(table).some((one) => one.column === column);
  }

  /** Whether the values of a column are part of a derived one. */
  uses(table: string, column: string): boolean {
    return this.#of(table).some(({ from }) => from.includes(column));
  }

  /** The columns of the source that the derived columns of a table need. */
  needs(table: string): readonly string[] {
    const columns = this.#columns.get(table);
    return this.#of(table).flatMap(({ from }) => from.filter((name) => columns?.has(name)));
  }

  /** Returns the derived values of a row by their columns. */
  async derive(table: string, row: NamedRow): Promise<NamedRow> {
    const derived: Record<string, SourceValue> = {};
    for (const { column, derive } of this.#of(table))
      derived[column] = await derive(row, () => (this.#names ??= this.#readNames()));
    return derived;
  }

  #of(table: string): readonly Derivation[] {
    return this.#found.filter((one) => one.table === table);
  }

  // Only for files in which a transcript has no name: those of the first versions, with few synths.
  async #readNames(): Promise<ReadonlyMap<string, SourceValue>> {
    const names = new Map<string, SourceValue>();
    for await (const { id, nome = null } of read(this.#source, 'synths', ['id', 'nome']))
      if (typeof id === 'string') names.set(id, nome);
    return names;
  }
}

/** Returns the document that has the JSON of each column as a member; a value that is no text as it is, for its error. */
function documentOf(row: NamedRow): SourceValue {
  const members: string[] = [];
  for (const name of sections) {
    const value = row[name] ?? null;
    if (value === null) continue;
    if (typeof value !== 'string') return value;
    members.push(`"${name}": ${value}`);
  }
  return members.length === 0 ? null : `{${members.join(', ')}}`;
}
