import { setImmediate } from 'node:timers/promises';
import { RowConverter, type ConversionOptions, type ConvertedRow } from './conversion/row-converter.ts';
import { TableDigest } from './conversion/row-digest.ts';
import type { TimeForm } from './conversion/read-timestamp.ts';
import type {
  FindingOutcome,
  ImportFinding,
  ImportRemedy,
  RemediedFinding,
} from './conversion/import-finding.ts';
import type { ParentKeys } from './parent-keys.ts';
import type { SourceRow } from './source/legacy-source.ts';
import type { PartialSource } from './source/partial-source.ts';
import { rejectedRow, type SkippedRow } from './skipped-rows.ts';
import type { TableResult } from './table-result.ts';
import type { TargetRows, Total } from './destination/target-rows.ts';
import type { TargetTable } from './destination/target-table.ts';

// The limits of a batch, which is one transaction.
const maxRows = 2000;
const maxCharacters = 2_000_000;

/** Callbacks of a table's import. */
export interface TableEvents {
  readonly onFinding: (finding: ImportFinding) => void;
  /** Called for each row that is rejected, with its values. */
  readonly onRejected?: ((row: SkippedRow) => void) | undefined;
  /** Called after each chunk of rows, with the number of rows read so far. */
  readonly onRows: (done: number) => void;
}

/** The import of one table: reads, converts and writes its rows, and counts them. */
export class TableImport {
  readonly table: TargetTable;
  readonly #source: PartialSource;
  readonly #parents: ParentKeys;
  readonly #converter: RowConverter;
  readonly #digest = new TableDigest();
  readonly #findings: Partial<Record<FindingOutcome, number>> = {};
  #written = 0;
  #found = 0;
  #rejected = 0;
  #generatedKeys = 0;
  #jsonNulls = 0;
  /** How many rejected rows each option may let in; another one may then be missing. */
  readonly remedies: Partial<Record<ImportRemedy, number>> = {};
  /** How many rows were rejected for what they hold, and not for a row that they refer to. */
  faulty = 0;
  readonly #times: Partial<Record<TimeForm, number>> = {};

  constructor(source: PartialSource, table: TargetTable, parents: ParentKeys, options: ConversionOptions) {
    this.table = table;
    this.#source = source;
    this.#parents = parents;
    this.#converter = new RowConverter(table, { ...options, source });
  }

  /**
   * Returns how many rows of the source the target has, equal in all columns. With `complete`, rows that it lacks were rejected before, and
   * are recorded in `parents`.
   */
  async countImported(
    target: TargetRows,
    parents: ParentKeys,
    { complete, onRows }: { readonly complete: boolean; readonly onRows: TableEvents['onRows'] },
  ): Promise<number> {
    let [imported, done] = [0, 0];
    for await (const chunk of this.#chunks(parents)) {
      const converted = chunk.flatMap((row) => this.#convert(row, parents, []) ?? []);
      const { found, others } = await target.compare(converted);
      imported += found.length;
      if (complete) for (const { key } of others) parents.rejectKey(this.table, key[0] ?? '');
      onRows((done += chunk.length));
    }
    return imported;
  }

  /**
   * Writes the rows that the target lacks. Without a target it does everything except write.
   *
   * @throws DataError when the target fails for a reason other than a row; batches written before stay.
   */
  async run(
    target: TargetRows | null,
    mayExist: boolean,
    { onFinding, onRejected, onRows }: TableEvents,
  ): Promise<void> {
    const report = (finding: ImportFinding): void => {
      this.#findings[finding.outcome] = (this.#findings[finding.outcome] ?? 0) + 1;
      onFinding(finding);
    };
    const store = (batch: readonly ConvertedRow[]): Promise<void> =>
      this.#store(target, batch, mayExist, { report, onRejected });
    // The next batch is read while PostgreSQL stores one.
    let storing = Promise.resolve();
    let [batch, characters, done]: [ConvertedRow[], number, number] = [[], 0, 0];
    for await (const chunk of this.#chunks(this.#parents)) {
      for (const row of chunk) {
        const findings: RemediedFinding[] = [];
        const converted = this.#convert(row, this.#parents, findings);
        for (const { remedy: _, isDangling: __, ...finding } of findings) report(finding);
        if (!converted) {
          this.#countRejected(findings);
          onRejected?.(rejectedRow(this.table, row.values, findings));
        } else {
          batch.push(converted);
          for (const field of converted.fields) characters += field?.length ?? 0;
        }
      }
      onRows((done += chunk.length));
      if (batch.length < maxRows && characters < maxCharacters) continue;
      await storing;
      storing = store(batch);
      // The error is thrown where it is awaited.
      storing.catch(() => {});
      [batch, characters] = [[], 0];
    }
    await storing;
    await store(batch);
  }

  #countRejected(findings: readonly RemediedFinding[]): void {
    this.#rejected++;
    if (findings.some(({ isDangling }) => !isDangling)) this.faulty++;
    for (const remedy of new Set(findings.map((finding) => finding.remedy)))
      if (remedy !== null) this.remedies[remedy] = (this.remedies[remedy] ?? 0) + 1;
  }

  /** Returns the counts of the import. */
  result(rows: number, target: Total | null): TableResult {
    return {
      table: this.table.name,
      rows,
      written: this.#written,
      found: this.#found,
      rejected: this.#rejected,
      generatedKeys: this.#generatedKeys,
      jsonNulls: this.#jsonNulls,
      times: this.#times,
      findings: this.#findings,
      sourceDigest: String(this.#digest),
      target,
    };
  }

  async *#chunks(parents: ParentKeys): AsyncGenerator<readonly SourceRow[], void> {
    for await (const chunk of this.#source.rows(this.table)) {
      await parents.load(this.table, chunk);
      yield chunk;
      // SQLite is synchronous; yields to the event loop for the batch that is being stored.
      await setImmediate();
    }
  }

  #convert(row: SourceRow, parents: ParentKeys, findings: RemediedFinding[]): ConvertedRow | null {
    const converted = this.#converter.convert(row, (column, key) => parents.has(column, key), findings);
    if (!converted) parents.reject(this.table, row);
    return converted;
  }

  async #store(
    target: TargetRows | null,
    batch: readonly ConvertedRow[],
    mayExist: boolean,
    { report, onRejected }: { report: TableEvents['onFinding']; onRejected: TableEvents['onRejected'] },
  ): Promise<void> {
    if (batch.length === 0) return;
    const { written, found, refused } = target
      ? await target.store(batch, { mayExist })
      : { written: batch, found: [], refused: [] };
    for (const row of [...written, ...found]) {
      this.#digest.add(row.digest);
      this.#jsonNulls += row.jsonNulls;
      if (row.generated) this.#generatedKeys++;
      for (const form of row.times) this.#times[form] = (this.#times[form] ?? 0) + 1;
    }
    this.#written += written.length;
    this.#found += found.length;
    this.#rejected += refused.length;
    for (const [{ key, fields }, reason] of refused) {
      const [first = ''] = key;
      onRejected?.(rejectedRow(this.table, fields, [{ column: null, reason }]));
      this.#parents.rejectKey(this.table, first);
      report({ outcome: 'rejected', table: this.table.name, key: key.join(', '), column: null, reason });
    }
  }
}
