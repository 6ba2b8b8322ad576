import { LegacySourceError } from '../../errors.ts';
import type { TargetTable } from '../destination/target-table.ts';
import { DerivedColumns } from './derived-columns.ts';
import { documentType, LaterDocuments } from './later-documents.ts';
import { LegacyDocuments } from './legacy-documents.ts';
import type { LegacySource, SourceRow, SourceTable } from './legacy-source.ts';
import { plainColumn } from './read-rows.ts';

const documentsTable = 'experiment_documents';

/** A table or column of the newest legacy schema that a source lacks, since an older version of the old system made it. */
export type AbsentPart = string;

/** A source of any schema version, read as one of the newest: what it lacks has no rows and no values. */
export class PartialSource implements LegacySource {
  readonly absent: readonly AbsentPart[];
  /** The documents that older versions kept elsewhere. */
  readonly documents: LegacyDocuments;
  /** The documents whose type is another one here. */
  readonly later: LaterDocuments;
  /** The source as it is. */
  readonly whole: LegacySource;
  readonly #derived: DerivedColumns;
  /** The columns of each table, as far as the source has them. */
  readonly #columns: ReadonlyMap<string, ReadonlySet<string>>;
  /** The tables whose rows can't be rows of the target, each with the first column that they lack for it. */
  readonly #unfit: ReadonlyMap<string, string>;

  private constructor(
    source: LegacySource,
    tables: readonly TargetTable[],
    parts: { documents: LegacyDocuments; later: LaterDocuments; derived: DerivedColumns },
  ) {
    this.whole = source;
    this.documents = parts.documents;
    this.later = parts.later;
    this.#derived = parts.derived;
    this.#columns = new Map(source.tables.map(({ name, columns }) => [name, new Set(columns)]));
    this.#unfit = new Map(
      tables.flatMap((table) => {
        const lacking = this.#columns.has(table.name) ? this.#firstLacking(table) : undefined;
        return lacking === undefined ? [] : [[table.name, lacking]];
      }),
    );
    this.absent = tables.flatMap(({ name, columns }) => {
      if (!this.#columns.has(name) || this.#unfit.has(name)) return [name];
      return columns
        .filter((column) => !this.has(name, column.name))
        .map((column) => `${name}.${column.name}`);
    });
  }

  /** @throws LegacySourceError when the source has none of the tables, or only such as can't be imported, or can't be read. */
  static async open(source: LegacySource, tables: readonly TargetTable[]): Promise<PartialSource> {
    const found = tables.filter(({ name }) => source.tables.some((table) => table.name === name));
    if (found.length === 0)
      throw notLegacy(source.label, `it has none of its tables, such as ${tables[0]?.name}`);
    const partial = new PartialSource(source, tables, {
      documents: await LegacyDocuments.find(source),
      later: await LaterDocuments.find(source),
      derived: await DerivedColumns.find(source),
    });
    const [first] = partial.#unfit;
    if (first && partial.#unfit.size === found.length)
      throw notLegacy(source.label, `it lacks ${first.join('.')}`);
    return partial;
  }

  get label(): string {
    return this.whole.label;
  }

  get tables(): readonly SourceTable[] {
    return this.whole.tables;
  }

  get notes(): readonly string[] {
    return [...this.whole.notes, ...this.#derived.notes, ...this.later.notes];
  }

  get isSqlite(): boolean {
    return this.whole.isSqlite;
  }

  /** Whether the source has a column, or it is derived from others. */
  has(table: string, column: string): boolean {
    return (this.#columns.get(table)?.has(column) ?? false) || this.#derived.has(table, column);
  }

  /** Returns the first column that the rows of a table lack to be rows of the target; undefined for other tables. */
  lackedBy(table: string): string | undefined {
    return this.#unfit.get(table);
  }

  /** Whether the values of a column are imported in another column. */
  isDerivedFrom(table: string, column: string): boolean {
    return this.#derived.uses(table, column);
  }

  async count(table: string): Promise<number> {
    const own = this.#isRead(table) ? await this.whole.count(table) : 0;
    if (table !== documentsTable) return own;
    return (this.#isRead(table) ? own - this.later.left.size : 0) + this.documents.count;
  }

  async countValues(table: string, column: string): Promise<number> {
    return this.#isRead(table) && this.has(table, column) ? this.whole.countValues(table, column) : 0;
  }

  async *rows(table: TargetTable): AsyncGenerator<readonly SourceRow[]> {
    if (table.name !== documentsTable || this.later.left.size + this.later.retyped === 0)
      yield* this.#ownRows(table);
    else yield* this.#retypedRows(table);
    if (table.name === documentsTable) yield* this.documents.rows(table);
  }

  async *#retypedRows(table: TargetTable): AsyncGenerator<readonly SourceRow[]> {
    const [key, type] = ['id', 'document_type'].map((name) =>
      table.columns.findIndex((column) => column.name === name),
    );
    for await (const chunk of this.#ownRows(table))
      yield chunk
        .filter(({ values }) => !this.later.left.has(values[key ?? 0] ?? null))
        .map((row) => ({
          ...row,
          values: row.values.map((value, index) =>
            index === type && typeof value === 'string' ? documentType(value) : value,
          ),
        }));
  }

  async *#ownRows(table: TargetTable): AsyncGenerator<readonly SourceRow[]> {
    const existing = this.#columns.get(table.name);
    if (!existing || !this.#isRead(table.name)) return;
    const columns = table.columns.filter(({ name }) => existing.has(name));
    const needed = this.#derived.needs(table.name);
    if (columns.length === table.columns.length && needed.length === 0) {
      yield* this.whole.rows(table);
      return;
    }
    const parent = table.parent !== undefined && existing.has(table.parent) ? table.parent : undefined;
    const others = needed.filter((name) => !columns.some((column) => column.name === name)).map(plainColumn);
    const read = [...columns, ...others];
    for await (const chunk of this.whole.rows({ ...table, columns: read, parent })) {
      const rows: SourceRow[] = [];
      for (const row of chunk) {
        const own = Object.fromEntries(read.map(({ name }, index) => [name, row.values[index] ?? null]));
        const named = { ...own, ...(await this.#derived.derive(table.name, own)) };
        rows.push({ ...row, values: table.columns.map(({ name }) => named[name] ?? null) });
      }
      yield rows;
    }
  }

  async existing(table: TargetTable, keys: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#isRead(table.name) ? this.whole.existing(table, keys) : new Set();
  }

  #isRead(table: string): boolean {
    return this.#columns.has(table) && !this.#unfit.has(table);
  }

  #firstLacking({ name, key, columns }: TargetTable): string | undefined {
    const required = columns.filter((column) => !column.nullable && column.default === undefined);
    return [...key, ...required.map((column) => column.name)].find((column) => !this.has(name, column));
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.whole[Symbol.asyncDispose]();
  }
}

function notLegacy(label: string, why: string): LegacySourceError {
  return new LegacySourceError(
    `${label} is not a legacy database of schema version 15 or an older one: ${why}; check --from`,
  );
}
