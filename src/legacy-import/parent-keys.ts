import type { LegacySource, SourceRow } from './source/legacy-source.ts';
import type { TargetColumn, TargetTable } from './destination/target-table.ts';

// Sibling rows are mostly adjacent, so a small cache serves.
const cacheSize = 10_000;

/** The parents that rows may reference: those of the source, except the rejected ones. */
export class ParentKeys {
  readonly #source: LegacySource;
  readonly #tables: ReadonlyMap<string, TargetTable>;
  readonly #rejected = new Map<string, Set<string>>();
  readonly #known = new Map<string, Map<string, boolean>>();

  constructor(source: LegacySource, tables: readonly TargetTable[]) {
    this.#source = source;
    this.#tables = new Map(tables.map((table) => [table.name, table]));
    for (const { references } of tables.flatMap(({ columns }) => columns)) {
      if (references) this.#rejected.set(references.table, new Set());
    }
  }

  /** Records that a row is not imported. */
  reject(table: TargetTable, row: SourceRow): void {
    const [key = ''] = table.key;
    const value = row.values[table.columns.findIndex(({ name }) => name === key)];
    if (typeof value === 'string') this.rejectKey(table, value);
  }

  /** Records that the row with this key is not imported. */
  rejectKey(table: TargetTable, key: string): void {
    this.#rejected.get(table.name)?.add(key);
  }

  /** Loads the parents that these rows reference. `has` needs it. */
  async load(table: TargetTable, rows: readonly SourceRow[]): Promise<void> {
    for (const [index, { references }] of table.columns.entries()) {
      const parent = this.#tables.get(references?.table ?? '');
      if (!parent) continue;
      const known = this.#knownOf(parent.name);
      const keys = new Set(
        rows.map(({ values }) => values[index]).filter((value) => typeof value === 'string'),
      );
      const unknown = [...keys].filter((key) => !known.has(key));
      if (unknown.length === 0) continue;
      if (known.size > cacheSize) known.clear();
      const missing = [...keys].filter((key) => !known.has(key));
      const found = await this.#source.existing(parent, missing);
      for (const key of missing) known.set(key, found.has(key));
    }
  }

  /** Whether the row that a column references is imported. */
  has({ references }: TargetColumn, key: string): boolean {
    const table = references?.table ?? '';
    return this.#knownOf(table).get(key) === true && !this.#rejected.get(table)?.has(key);
  }

  #knownOf(table: string): Map<string, boolean> {
    let known = this.#known.get(table);
    if (!known) this.#known.set(table, (known = new Map()));
    return known;
  }
}
