import { setImmediate } from 'node:timers/promises';
import { RowConverter, type ConversionOptions, type ConvertedRow } from './conversion/row-converter.ts';
import { TableDigest } from './conversion/row-digest.ts';
import type { Finding, Outcome } from './finding.ts';
import type { ParentKeys } from './parent-keys.ts';
import type { LegacySource, SourceRow } from './source/legacy-source.ts';
import type { TableResult } from './table-result.ts';
import type { TargetRows, Total } from './target/target-rows.ts';
import type { TargetTable } from './target/target-table.ts';

// A batch is one transaction; it ends at either of them.
const mostRows = 2000;
const mostCharacters = 2_000_000;

/** What a table's import tells while it runs. */
export interface TableEvents {
  readonly onFinding: (finding: Finding) => void;
  /** After each piece of rows, with how many were read. */
  readonly onRows: (done: number) => void;
}

/** The way of one table's rows from the source to the target. */
export class TableImport {
  readonly table: TargetTable;
  readonly #source: LegacySource;
  readonly #parents: ParentKeys;
  readonly #converter: RowConverter;
  readonly #digest = new TableDigest();
  readonly #findings: Partial<Record<Outcome, number>> = {};
  #written = 0;
  #found = 0;
  #rejected = 0;
  #mintedKeys = 0;
  #jsonNulls = 0;

  constructor(source: LegacySource, table: TargetTable, parents: ParentKeys, options: ConversionOptions) {
    this.table = table;
    this.#source = source;
    this.#parents = parents;
    const columns = source.tables.find(({ name }) => name === table.name)?.columns ?? [];
    const filledWithNow = new Set(columns.filter((one) => one.filledWithNow).map(({ name }) => name));
    this.#converter = new RowConverter(table, filledWithNow, options);
  }

  /**
   * How many rows of the source the target has, equal in all columns. With `complete`, what it does not have was rejected before,
   * and `parents` are told so: no later row may point at it.
   */
  async recognise(
    target: TargetRows,
    parents: ParentKeys,
    { complete, onRows }: { readonly complete: boolean; readonly onRows: TableEvents['onRows'] },
  ): Promise<number> {
    let [recognised, done] = [0, 0];
    for await (const piece of this.#pieces(parents)) {
      const converted = piece.flatMap((row) => this.#convert(row, parents, []) ?? []);
      const { found, others } = await target.compare(converted);
      recognised += found.length;
      if (complete) for (const { key } of others) parents.rejectKey(this.table, key[0] ?? '');
      onRows((done += piece.length));
    }
    return recognised;
  }

  /**
   * Writes what the target does not have. Without a target nothing is written, and all else is done.
   *
   * @throws DataError when the target can't take it for a reason that is not a row's; what was written before stays.
   */
  async run(
    target: TargetRows | null,
    mayBeThere: boolean,
    { onFinding, onRows }: TableEvents,
  ): Promise<void> {
    const tell = (finding: Finding): void => {
      this.#findings[finding.outcome] = (this.#findings[finding.outcome] ?? 0) + 1;
      onFinding(finding);
    };
    const store = (batch: readonly ConvertedRow[]): Promise<void> =>
      this.#store(target, batch, mayBeThere, tell);
    // While PostgreSQL takes one batch, the next one is read.
    let storing = Promise.resolve();
    let [batch, characters, done]: [ConvertedRow[], number, number] = [[], 0, 0];
    for await (const piece of this.#pieces(this.#parents)) {
      for (const row of piece) {
        const findings: Finding[] = [];
        const converted = this.#convert(row, this.#parents, findings);
        for (const finding of findings) tell(finding);
        if (!converted) this.#rejected++;
        else {
          batch.push(converted);
          for (const field of converted.fields) characters += field?.length ?? 0;
        }
      }
      onRows((done += piece.length));
      if (batch.length < mostRows && characters < mostCharacters) continue;
      await storing;
      storing = store(batch);
      // Told where it is awaited.
      storing.catch(() => {});
      [batch, characters] = [[], 0];
    }
    await storing;
    await store(batch);
  }

  result(rows: number, target: Total | null): TableResult {
    return {
      table: this.table.name,
      rows,
      written: this.#written,
      found: this.#found,
      rejected: this.#rejected,
      mintedKeys: this.#mintedKeys,
      jsonNulls: this.#jsonNulls,
      findings: this.#findings,
      sourceDigest: String(this.#digest),
      target,
    };
  }

  async *#pieces(parents: ParentKeys): AsyncGenerator<readonly SourceRow[], void> {
    for await (const piece of this.#source.rows(this.table)) {
      await parents.look(this.table, piece);
      yield piece;
      // SQLite answers at once; what goes to PostgreSQL meanwhile needs its turn.
      await setImmediate();
    }
  }

  #convert(row: SourceRow, parents: ParentKeys, findings: Finding[]): ConvertedRow | null {
    const converted = this.#converter.convert(row, (column, key) => parents.has(column, key), findings);
    if (!converted) parents.reject(this.table, row);
    return converted;
  }

  async #store(
    target: TargetRows | null,
    batch: readonly ConvertedRow[],
    mayBeThere: boolean,
    tell: (finding: Finding) => void,
  ): Promise<void> {
    if (batch.length === 0) return;
    const { written, found, refused } = target
      ? await target.store(batch, { mayBeThere })
      : { written: batch, found: [], refused: [] };
    for (const row of [...written, ...found]) {
      this.#digest.add(row.digest);
      this.#jsonNulls += row.jsonNulls;
      if (row.minted) this.#mintedKeys++;
    }
    this.#written += written.length;
    this.#found += found.length;
    this.#rejected += refused.length;
    for (const [{ key }, reason] of refused) {
      const [first = ''] = key;
      this.#parents.rejectKey(this.table, first);
      tell({ outcome: 'rejected', table: this.table.name, key: key.join(', '), column: null, reason });
    }
  }
}
