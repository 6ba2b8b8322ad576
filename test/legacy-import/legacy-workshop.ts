import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImportFinding } from '../../src/legacy-import/conversion/import-finding.ts';
import {
  importLegacy,
  type ImportOptions,
  type ImportResult,
} from '../../src/legacy-import/import-legacy.ts';
import { SqliteSource } from '../../src/legacy-import/source/sqlite-source.ts';
import type { TableResult } from '../../src/legacy-import/table-result.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import { makeLegacyFile, type LegacyFileOptions, type LegacyRows } from './legacy-file.ts';
import { legacyTables } from './legacy-shape.ts';

/** The result of an import, and the findings that it reported. */
export interface Imported {
  readonly result: ImportResult;
  readonly findings: readonly ImportFinding[];
  readonly table: (name: string) => TableResult | undefined;
}

/** Writes legacy files into a temporary directory, and imports them into a test database. */
export class LegacyWorkshop {
  readonly database: TestDatabase;
  readonly directory: string;
  #files = 0;

  private constructor(database: TestDatabase, directory: string) {
    this.database = database;
    this.directory = directory;
  }

  static async open(): Promise<LegacyWorkshop> {
    return new LegacyWorkshop(await TestDatabase.create(), mkdtempSync(join(tmpdir(), 'synthdb-legacy-')));
  }

  async close(): Promise<void> {
    rmSync(this.directory, { recursive: true });
    await this.database.drop();
  }

  file(rows: LegacyRows, options: LegacyFileOptions = {}): string {
    return makeLegacyFile(join(this.directory, `legacy-${++this.#files}.db`), rows, options);
  }

  /** Imports a file, or what would be in one. */
  async import(from: LegacyRows | string, options: ImportOptions = {}): Promise<Imported> {
    return this.#run(from, this.database, options);
  }

  async dryRun(from: LegacyRows | string, options: ImportOptions = {}): Promise<Imported> {
    return this.#run(from, null, options);
  }

  async empty(): Promise<void> {
    await this.database.orm.em.execute(`truncate ${Object.keys(legacyTables).join(', ')} cascade`);
  }

  async rows(query: string): Promise<unknown[]> {
    return this.database.orm.em.execute(query);
  }

  async #run(
    from: LegacyRows | string,
    database: TestDatabase | null,
    options: ImportOptions,
  ): Promise<Imported> {
    await using source = await SqliteSource.open(typeof from === 'string' ? from : this.file(from));
    const findings: ImportFinding[] = [];
    const result = await importLegacy(source, database, options, {
      onFinding: (finding) => findings.push(finding),
    });
    return { result, findings, table: (name) => result.tables.find(({ table }) => table === name) };
  }
}

const at = '2025-03-01T12:00:00.000001+00:00';

/** Columns that each row of these tables needs. */
export const complete = {
  experiment: { name: 'Checkout', hypothesis: 'It helps', created_at: at },
  run: { config: '{}', started_at: at },
  outcome: { did_not_try_rate: 0.25, failed_rate: 0.25, success_rate: 0.5 },
  exploration: {
    goal: '{"metric": "success_rate", "operator": ">=", "value": 0.5}',
    config: '{}',
    started_at: at,
  },
  node: {
    scorecard_params: '{"complexity": 0, "initial_effort": 0, "perceived_risk": 0, "time_to_value": 0}',
    created_at: at,
  },
} as const;
