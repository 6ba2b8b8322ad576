import type { Database } from '../database/database.ts';
import { unconnected } from '../postgres/orm/unconnected.ts';
import { ImportRefusedError, SchemaOutOfDateError } from '../errors.ts';
import { migrationGap } from 'mikro-orm-safe-migrations';
import type { ConversionOptions } from './conversion/row-converter.ts';
import type { Finding } from './finding.ts';
import { alone } from './import-lock.ts';
import { unknownParts, type UnknownPart } from './legacy-contents.ts';
import { ParentKeys } from './parent-keys.ts';
import type { LegacySource } from './source/legacy-source.ts';
import { TableImport } from './table-import.ts';
import type { TableResult } from './table-result.ts';
import { TargetRows } from './target/target-rows.ts';
import type { TargetTable } from './target/target-table.ts';
import { targetTables } from './target/target-tables.ts';

export interface ImportOptions extends ConversionOptions {
  /** Tables (`name`) and columns (`table.name`) of the source that the target has no place for and that may be left out. */
  readonly skip?: readonly string[] | undefined;
  /** How many rows may be rejected. Default 0. */
  readonly allowRejected?: number | undefined;
}

/** `comparing`: what the target has is looked for in the source. `verifying`: counts and digests are taken; `done` stays 0. */
type Phase = 'comparing' | 'importing' | 'verifying';

export interface Progress {
  readonly phase: Phase;
  readonly table: string;
  readonly done: number;
  readonly total: number;
}

export interface ImportEvents {
  readonly onFinding?: ((finding: Finding) => void) | undefined;
  /** When a phase of a table begins, with 0 done, and after each piece of rows. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** After each table, before the target was verified. */
  readonly onTable?: ((result: TableResult) => void) | undefined;
}

/** What became of an import. It succeeded when there are no failures: every row of the source is then accounted for. */
export interface ImportResult {
  /** Sentences; none when all went well. */
  readonly failures: readonly string[];
  readonly tables: readonly TableResult[];
  /** What the source has that the target has no place for. */
  readonly unknown: readonly UnknownPart[];
}

/**
 * Imports a legacy database into a migrated one that is empty, or holds nothing but rows of this source, as an import leaves them
 * that was cut short. Rows are written in batches, a transaction each, parents first; then counts and digests of both sides are
 * compared. With `null` for the target nothing is written and no connection opened: what PostgreSQL alone knows (unique constraints)
 * is not found then.
 *
 * @throws ImportRefusedError, SchemaOutOfDateError before anything is written; LegacySourceError when the source fails, another
 * DataError when the target does, also on the way: run it again to go on.
 */
export async function importLegacy(
  source: LegacySource,
  database: Database | null,
  options: ImportOptions = {},
  events: ImportEvents = {},
): Promise<ImportResult> {
  const tables = targetTables(unconnected().getMetadata());
  const unknown = await unknownParts(source, tables, options.skip ?? []);
  const run = new ImportRun(source, database, tables, { options, events });
  if (database === null) return run.finish(unknown);
  const lost = unknown.filter(({ skipped }) => !skipped);
  if (lost.length > 0) throw new ImportRefusedError(`${unplaced(lost)}; nothing was written`);
  const { pending } = await migrationGap(database.orm);
  if (pending.length > 0) throw new SchemaOutOfDateError(pending);
  return alone(database, () => run.finish(unknown));
}

class ImportRun {
  readonly #source: LegacySource;
  readonly #tables: readonly TargetTable[];
  readonly #imports: readonly TableImport[];
  readonly #targets: ReadonlyMap<TableImport, TargetRows>;
  readonly #allowRejected: number;
  readonly #events: ImportEvents;

  constructor(
    source: LegacySource,
    database: Database | null,
    tables: readonly TargetTable[],
    { options, events }: { options: ImportOptions; events: ImportEvents },
  ) {
    const parents = new ParentKeys(source, tables);
    this.#source = source;
    this.#tables = tables;
    this.#imports = tables.map((table) => new TableImport(source, table, parents, options));
    this.#targets = new Map(
      database ? this.#imports.map((one) => [one, new TargetRows(database, one.table)]) : [],
    );
    this.#allowRejected = options.allowRejected ?? 0;
    this.#events = events;
  }

  async finish(unknown: readonly UnknownPart[]): Promise<ImportResult> {
    const there = await this.#recognise();
    const counts = new Map<TableImport, number>();
    for (const one of this.#imports) {
      const total = await this.#source.count(one.table.name);
      counts.set(one, total);
      this.#tell('importing', one, 0, total);
      await one.run(this.#targets.get(one) ?? null, there.has(one), {
        onFinding: (finding) => this.#events.onFinding?.(finding),
        onRows: (done) => this.#tell('importing', one, done, total),
      });
      this.#events.onTable?.(one.result(total, null));
    }
    const tables: TableResult[] = [];
    for (const one of this.#imports) {
      const total = counts.get(one) ?? 0;
      this.#tell('verifying', one, 0, total);
      tables.push(one.result(total, (await this.#targets.get(one)?.total()) ?? null));
    }
    return { tables, unknown, failures: [...this.#failures(tables), ...lostParts(unknown)] };
  }

  /** The tables that the target has rows of, all of which the source has too. */
  async #recognise(): Promise<ReadonlySet<TableImport>> {
    const filled = new Map<TableImport, number>();
    for (const [one, target] of this.#targets) {
      const count = await target.count();
      if (count > 0) filled.set(one, count);
    }
    const last = [...this.#targets.keys()].findLastIndex((one) => filled.has(one));
    // What was rejected before may be mended now: the import itself begins without knowing of it.
    const parents = new ParentKeys(this.#source, this.#tables);
    // Whether a row is rejected depends on its parents: those are gone through too. A table was complete before the next was begun.
    for (const [index, [one, target]] of [...this.#targets].slice(0, last + 1).entries()) {
      const total = await this.#source.count(one.table.name);
      this.#tell('comparing', one, 0, total);
      const recognised = await one.recognise(target, parents, {
        complete: index < last,
        onRows: (done) => this.#tell('comparing', one, done, total),
      });
      const strange = (filled.get(one) ?? 0) - recognised;
      if (strange > 0) {
        throw new ImportRefusedError(
          `the target is not empty: ${strange} of its ${filled.get(one)} rows of ${one.table.name} are not what this import would write; ` +
            'import into an empty database, or go on with the source and the options that it was begun with; nothing was written',
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
        `${rejected} rows were rejected, ${this.#allowRejected} may be: mend them in the source, or allow them with --allow-rejected ${rejected}`,
      );
    }
    for (const { table, rows, written, found, rejected: refused, sourceDigest, target } of tables) {
      const accounted = written + found + refused;
      if (accounted !== rows) failures.push(`${table}: ${accounted} of ${rows} rows are accounted for`);
      if (target && target.count !== written + found)
        failures.push(
          `${table}: the target has ${target.count} rows, not ${written + found}: was it written to meanwhile?`,
        );
      else if (target && target.digest !== sourceDigest)
        failures.push(
          `${table}: the target's digest is ${target.digest}, the source's ${sourceDigest}: some row is not what was sent`,
        );
    }
    return failures;
  }

  #tell(phase: Phase, { table }: TableImport, done: number, total: number): void {
    this.#events.onProgress?.({ phase, table: table.name, done, total });
  }
}

function lostParts(unknown: readonly UnknownPart[]): string[] {
  const lost = unknown.filter(({ skipped }) => !skipped);
  return lost.length === 0 ? [] : [unplaced(lost)];
}

function unplaced(lost: readonly UnknownPart[]): string {
  const parts = lost.map(({ name, rows }) => `${name} (${rows} rows)`);
  return `the target has no place for ${parts.join(', ')}: leave them out with --skip ${lost.map(({ name }) => name).join(',')}`;
}
