import type { Database } from '../database/database.ts';
import { createOfflineOrm } from '../postgres/orm/offline-orm.ts';
import { ImportRefusedError, SchemaOutOfDateError } from '../errors.ts';
import { migrationGap } from 'mikro-orm-safe-migrations/gap';
import type { ConversionOptions } from './conversion/row-converter.ts';
import { findUnknownParts, type UnknownPart } from './find-unknown-parts.ts';
import type { ImportFinding, ImportRemedy } from './conversion/import-finding.ts';
import { ParentKeys } from './parent-keys.ts';
import type { LegacySource } from './source/legacy-source.ts';
import { PartialSource, type AbsentPart } from './source/partial-source.ts';
import { skippedRows, type SkippedRow } from './skipped-rows.ts';
import { TableImport } from './table-import.ts';
import type { TableResult } from './table-result.ts';
import { TargetRows } from './destination/target-rows.ts';
import type { TargetTable } from './destination/target-table.ts';
import { describeTargetTables } from './destination/describe-target-tables.ts';
import { withImportLock } from './with-import-lock.ts';
import { tagStatements } from '../postgres/sql/statement-tags.ts';

/** How an import runs. */
export interface ImportOptions extends ConversionOptions {
  /** Tables (`name`) and columns (`table.name`) of the source that the target has no place for and that are skipped. */
  readonly skip?: readonly string[] | undefined;
  /** How many rows may be rejected before the import counts as failed. Default: 0. */
  readonly allowRejected?: number | undefined;
}

/** `comparing`: existing rows of the target are compared with the source. `verifying`: counts and digests are computed; `done` stays 0. */
type Phase = 'comparing' | 'importing' | 'verifying';

/** The progress of one table, in rows. */
export interface TableProgress {
  readonly phase: Phase;
  readonly table: string;
  readonly done: number;
  readonly total: number;
}

/** Callbacks of an import. */
export interface ImportEvents {
  readonly onFinding?: ((finding: ImportFinding) => void) | undefined;
  /** Called when a phase of a table begins, with `done` 0, and after each chunk of rows. */
  readonly onProgress?: ((progress: TableProgress) => void) | undefined;
  /** Called for each row that was rejected, and at the end for each that was skipped. */
  readonly onSkipped?: ((row: SkippedRow) => void) | undefined;
  /** Called after each table, before the target is verified. */
  readonly onTable?: ((result: TableResult) => void) | undefined;
}

/** The result of an import, which succeeded when `failures` is empty: then every row of the source is accounted for. */
export interface ImportResult {
  /** One sentence each. */
  readonly failures: readonly string[];
  readonly tables: readonly TableResult[];
  /** Tables and columns of the source that the target has no place for. */
  readonly unknown: readonly UnknownPart[];
  /** Tables and columns of the newest legacy schema that the source lacks: its rows have NULL or the default there. */
  readonly absent: readonly AbsentPart[];
  /** What may be missing in the source, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Imports a legacy database into a migrated one that is empty, or has only rows of this source, as after an interrupted import. The import
 * is idempotent: run it again to resume. Rows are written in batches, one transaction each, parents first; then row counts and digests of
 * both sides are compared. With `database` null (dry run) nothing is written and no connection opened, so that violations of unique
 * constraints are not found.
 *
 * @throws ImportRefusedError, SchemaOutOfDateError before anything is written.
 * @throws LegacySourceError when the source fails, at any time.
 * @throws DataError when the target fails, at any time.
 */
export async function importLegacy(
  source: LegacySource,
  database: Database | null,
  options: ImportOptions = {},
  events: ImportEvents = {},
): Promise<ImportResult> {
  const tables = describeTargetTables(createOfflineOrm().getMetadata());
  const whole = await PartialSource.open(source, tables);
  const unknown = await findUnknownParts(whole, tables, options.skip ?? []);
  const run = new ImportRun(whole, database, tables, { options, events });
  if (database === null) return run.finish(unknown);
  const lost = lostParts(unknown);
  if (lost.length > 0) throw new ImportRefusedError(`${describeLost(lost)}; nothing was written`);
  const { pending } = await migrationGap(database.orm);
  if (pending.length > 0) throw new SchemaOutOfDateError(pending);
  return tagStatements('importLegacy', () => withImportLock(database, () => run.finish(unknown)));
}

// The options that let rejected rows in.
const letsIn = ['--source-time-zone', '--replace-invalid-json', '--null-dangling'] as const;
const explained: Readonly<Record<ImportRemedy, string>> = {
  '--source-time-zone': 'the zone of their times: --source-time-zone, such as America/Sao_Paulo or UTC',
  '--replace-invalid-json': "--replace-invalid-json, for values in JSON that PostgreSQL can't store",
  '--null-dangling': '--null-dangling, for references to rows that do not exist',
};

class ImportRun {
  readonly #source: PartialSource;
  readonly #tables: readonly TargetTable[];
  readonly #imports: readonly TableImport[];
  readonly #targets: ReadonlyMap<TableImport, TargetRows>;
  readonly #allowRejected: number;
  readonly #events: ImportEvents;

  constructor(
    source: PartialSource,
    database: Database | null,
    tables: readonly TargetTable[],
    { options, events }: { options: ImportOptions; events: ImportEvents },
  ) {
    const parents = new ParentKeys(source, tables);
    this.#source = source;
    this.#tables = tables;
    this.#imports = tables.map((table) => new TableImport(source, table, parents, options));
    this.#targets = new Map(
      database
        ? this.#imports.map((tableImport) => [tableImport, new TargetRows(database, tableImport.table)])
        : [],
    );
    this.#allowRejected = options.allowRejected ?? 0;
    this.#events = events;
  }

  async finish(unknown: readonly UnknownPart[]): Promise<ImportResult> {
    const resumed = await this.#compareExisting();
    const counts = new Map<TableImport, number>();
    for (const tableImport of this.#imports) {
      const total = await this.#source.count(tableImport.table.name);
      counts.set(tableImport, total);
      this.#emitProgress('importing', tableImport, 0, total);
      await tableImport.run(this.#targets.get(tableImport) ?? null, resumed.has(tableImport), {
        onFinding: (finding) => this.#events.onFinding?.(finding),
        onRejected: this.#events.onSkipped,
        onRows: (done) => this.#emitProgress('importing', tableImport, done, total),
      });
      this.#events.onTable?.(tableImport.result(total, null));
    }
    const tables: TableResult[] = [];
    for (const tableImport of this.#imports) {
      const total = counts.get(tableImport) ?? 0;
      this.#emitProgress('verifying', tableImport, 0, total);
      tables.push(tableImport.result(total, (await this.#targets.get(tableImport)?.total()) ?? null));
    }
    if (this.#events.onSkipped)
      for await (const row of skippedRows(this.#source, this.#tables, unknown)) this.#events.onSkipped(row);
    const { absent, notes } = this.#source;
    return {
      tables,
      unknown,
      absent,
      notes,
      failures: [...this.#failures(tables), ...lostFailures(unknown)],
    };
  }

  /**
   * Returns the tables that have rows in the target.
   *
   * @throws ImportRefusedError when the target has a row that this import would not write.
   */
  async #compareExisting(): Promise<ReadonlySet<TableImport>> {
    const filled = new Map<TableImport, number>();
    for (const [tableImport, target] of this.#targets) {
      const count = await target.count();
      if (count > 0) filled.set(tableImport, count);
    }
    const last = [...this.#targets.keys()].findLastIndex((tableImport) => filled.has(tableImport));
    // Kept apart from the import's own: rows that were rejected before may be repaired now.
    const parents = new ParentKeys(this.#source, this.#tables);
    // Rejection depends on parents, so tables of parents are compared too. A table was completed before the next was begun.
    for (const [index, [tableImport, target]] of [...this.#targets].slice(0, last + 1).entries()) {
      const total = await this.#source.count(tableImport.table.name);
      this.#emitProgress('comparing', tableImport, 0, total);
      const imported = await tableImport.countImported(target, parents, {
        complete: index < last,
        onRows: (done) => this.#emitProgress('comparing', tableImport, done, total),
      });
      const foreign = (filled.get(tableImport) ?? 0) - imported;
      if (foreign > 0) {
        throw new ImportRefusedError(
          `the target is not empty: ${foreign} of its ${filled.get(tableImport)} rows of ${tableImport.table.name} differ from what this import would write; ` +
            'import into an empty database, or resume with the same source and options; nothing was written',
        );
      }
    }
    return new Set(filled.keys());
  }

  #failures(tables: readonly TableResult[]): string[] {
    const failures: string[] = [];
    const rejected = tables.reduce((sum, table) => sum + table.rejected, 0);
    if (rejected > this.#allowRejected) {
      failures.push(
        `${rejected} rows were rejected, ${this.#allowRejected} are allowed; ${this.#remedy(rejected)}`,
      );
    }
    for (const { table, rows, written, found, rejected: refused, sourceDigest, target } of tables) {
      const accounted = written + found + refused;
      if (accounted !== rows) failures.push(`${table}: only ${accounted} of ${rows} rows are accounted for`);
      if (target && target.count !== written + found)
        failures.push(
          `${table}: the target has ${target.count} rows, expected ${written + found}; check for other writers`,
        );
      else if (target && target.digest !== sourceDigest)
        failures.push(
          `${table}: the digest of the target is ${target.digest}, that of the source ${sourceDigest}; at least one row differs`,
        );
    }
    return failures;
  }

  /** Returns what to do about rejected rows: names the option that most of them share, apart from rows whose parents were rejected. */
  #remedy(rejected: number): string {
    const sum = (count: (tableImport: TableImport) => number): number =>
      this.#imports.reduce((all, tableImport) => all + count(tableImport), 0);
    const counts = letsIn.map((option) => ({ option, count: sum(({ remedies }) => remedies[option] ?? 0) }));
    const faulty = sum((one) => one.faulty);
    const best = counts
      .toSorted((a, b) => b.count - a.count)
      .find(
        ({ option, count }) => count > (option === '--null-dangling' && faulty === 0 ? rejected : faulty) / 2,
      );
    const otherwise = `correct them in the source, or allow them with --allow-rejected ${rejected}`;
    return best ? `${best.count} of them need ${explained[best.option]}; otherwise ${otherwise}` : otherwise;
  }

  #emitProgress(phase: Phase, { table }: TableImport, done: number, total: number): void {
    this.#events.onProgress?.({ phase, table: table.name, done, total });
  }
}

// What has no rows loses nothing.
function lostParts(unknown: readonly UnknownPart[]): UnknownPart[] {
  return unknown.filter(({ rows, skipped }) => !skipped && rows > 0);
}

function lostFailures(unknown: readonly UnknownPart[]): string[] {
  const lost = lostParts(unknown);
  return lost.length === 0 ? [] : [describeLost(lost)];
}

function describeLost(lost: readonly UnknownPart[]): string {
  const parts = lost.map(
    ({ name, rows, lacks }) => `${name} (${rows} rows${lacks === undefined ? '' : ` without ${lacks}`})`,
  );
  return `the target has no place for ${parts.join(', ')}; skip them with --skip ${lost.map(({ name }) => name).join(',')}`;
}
