import { LegacySourceError } from '../../errors.ts';
import type { TargetTable } from '../destination/target-table.ts';
import type { LegacySource, SourceRow, SourceTable } from './legacy-source.ts';

/** A table or column of the newest legacy schema that a source lacks, since an older version of the old system made it. */
export type AbsentPart = string;

/** A source of any schema version, read as one of the newest: what it lacks has no rows and no values. */
export class PartialSource implements LegacySource {
  readonly absent: readonly AbsentPart[];
  readonly #source: LegacySource;
  /** The columns of each table, as far as the source has them. */
  readonly #columns: ReadonlyMap<string, ReadonlySet<string>>;

  /** @throws LegacySourceError when it has none of the tables, or one without its key. */
  constructor(source: LegacySource, tables: readonly TargetTable[]) {
    this.#source = source;
    this.#columns = new Map(source.tables.map(({ name, columns }) => [name, new Set(columns)]));
    if (!tables.some(({ name }) => this.#columns.has(name)))
      throw notLegacy(source.label, `it has none of its tables, such as ${tables[0]?.name}`);
    for (const { name, key } of tables) {
      const lacking = key.find((column) => this.#columns.get(name)?.has(column) === false);
      if (lacking !== undefined) throw notLegacy(source.label, `it lacks ${name}.${lacking}`);
    }
    this.absent = tables.flatMap(({ name, columns }) => {
      const existing = this.#columns.get(name);
      if (!existing) return [name];
      return columns.filter((column) => !existing.has(column.name)).map((column) => `${name}.${column.name}`);
    });
  }

  get label(): string {
    return this.#source.label;
  }

  get tables(): readonly SourceTable[] {
    return this.#source.tables;
  }

  get notes(): readonly string[] {
    return this.#source.notes;
  }

  get isSqlite(): boolean {
    return this.#source.isSqlite;
  }

  /** Whether the source has a column. */
  has(table: string, column: string): boolean {
    return this.#columns.get(table)?.has(column) ?? false;
  }

  async count(table: string): Promise<number> {
    return this.#columns.has(table) ? this.#source.count(table) : 0;
  }

  async countValues(table: string, column: string): Promise<number> {
    return this.has(table, column) ? this.#source.countValues(table, column) : 0;
  }

  async *rows(table: TargetTable): AsyncGenerator<readonly SourceRow[]> {
    const existing = this.#columns.get(table.name);
    if (!existing) return;
    const columns = table.columns.filter(({ name }) => existing.has(name));
    if (columns.length === table.columns.length) {
      yield* this.#source.rows(table);
      return;
    }
    const parent = table.parent !== undefined && existing.has(table.parent) ? table.parent : undefined;
    const places = table.columns.map((column) => columns.indexOf(column));
    for await (const chunk of this.#source.rows({ ...table, columns, parent }))
      yield chunk.map((row) => ({ ...row, values: places.map((place) => row.values[place] ?? null) }));
  }

  async existing(table: TargetTable, keys: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#columns.has(table.name) ? this.#source.existing(table, keys) : new Set();
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#source[Symbol.asyncDispose]();
  }
}

function notLegacy(label: string, why: string): LegacySourceError {
  return new LegacySourceError(
    `${label} is not a legacy database of schema version 15 or an older one: ${why}; check --from`,
  );
}
