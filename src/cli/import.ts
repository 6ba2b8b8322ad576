import { setFlagsFromString } from 'node:v8';
import { Command, InvalidArgumentError } from 'commander';
import { Database } from '../database/database.ts';
import { SourceTimeZone } from '../legacy-import/conversion/source-time-zone.ts';
import { importLegacy, type ImportOptions, type ImportResult } from '../legacy-import/import-legacy.ts';
import { ReportFile } from '../legacy-import/report-file.ts';
import type { LegacySource } from '../legacy-import/source/legacy-source.ts';
import { openLegacySource } from '../legacy-import/source/open-legacy-source.ts';
import { FindingLines, sayResult } from './import-report.ts';
import { ImportProgress } from './import-progress.ts';
import { say } from './output.ts';
import { sayPlace, withDatabase } from './with-database.ts';

interface Given {
  readonly from: string;
  readonly dryRun?: boolean;
  readonly sourceTimeZone?: string;
  readonly skip: string[];
  readonly report?: string;
  readonly allowRejected: number;
  readonly replaceInvalidJson?: boolean;
  readonly nullDangling?: boolean;
  readonly strict?: boolean;
  readonly json?: boolean;
}

/** `synthdb import` */
export function importCommand(): Command {
  return new Command('import')
    .description('import a database of the old system: a SQLite file of schema version 15, or its PostgreSQL')
    .requiredOption('--from <file or url>', 'the SQLite file, or the URL of the PostgreSQL database')
    .option('--dry-run', 'read, convert and report everything, without a connection to the target')
    .option('--source-time-zone <zone>', 'what times without a zone are in, such as America/Sao_Paulo or UTC')
    .option('--skip <names>', 'tables (a) and columns (a.b) to leave out that have no place here', names, [])
    .option('--report <file>', 'write the report to a file, as JSON')
    .option('--allow-rejected <count>', 'how many rows may be rejected', wholeNumber, 0)
    .option(
      '--replace-invalid-json',
      'store null for NaN and Infinity, U+FFFD for U+0000 and half surrogates',
    )
    .option(
      '--null-dangling',
      'store NULL for references to missing rows, where the row lives on without them',
    )
    .option('--strict', 'reject documents that are out of shape, and NULLs that have a default')
    .option(
      '--json',
      'print { findings: [{ outcome, table, key, column, reason }], source, target, failures, unknown, tables } for programs',
    )
    .action(async ({ from, dryRun = false, ...given }: Given) => {
      // Rows are garbage soon. V8 would rather make room for ever more of it than collect it.
      setFlagsFromString('--semi-space-growth-factor=1');
      setFlagsFromString('--heap-growing-percent=50');
      const options = optionsOf(given);
      await using source = await openLegacySource(from);
      if (dryRun) return await run(source, null, null, options, given);
      await withDatabase('application', (orm, place) => {
        if (!given.json) sayPlace(place);
        return run(source, new Database(orm), place.database, options, given);
      });
    });
}

async function run(
  source: LegacySource,
  database: Database | null,
  target: string | null,
  options: ImportOptions,
  { report: path, json = false }: Given | Omit<Given, 'from'>,
): Promise<void> {
  const reports = [
    ...(path === undefined ? [] : [new ReportFile(path)]),
    ...(json ? [new ReportFile()] : []),
  ];
  const lines = new FindingLines();
  const progress = new ImportProgress(json, database === null);
  let result: ImportResult;
  try {
    result = await importLegacy(source, database, options, {
      onFinding: (finding) => {
        lines.add(finding);
        for (const report of reports) report.add(finding);
      },
      onProgress: (state) => progress.show(state),
      onTable: (table) => progress.tableDone(table),
    });
  } catch (error) {
    const failures = [error instanceof Error ? error.message : String(error)];
    for (const report of reports) report.end({ source: source.label, target, failures });
    throw error;
  } finally {
    progress.stop();
  }
  for (const report of reports) report.end({ source: source.label, target, ...result });
  if (result.failures.length > 0) process.exitCode = 1;
  if (json) return;
  lines.say(path);
  sayResult(result, database === null);
  if (path !== undefined) say(`The whole report is in ${path}.`);
}

function optionsOf(given: Omit<Given, 'from'>): ImportOptions {
  return {
    zone: given.sourceTimeZone === undefined ? undefined : new SourceTimeZone(given.sourceTimeZone),
    skip: given.skip,
    allowRejected: given.allowRejected,
    replaceInvalidJson: given.replaceInvalidJson,
    nullDangling: given.nullDangling,
    strict: given.strict,
  };
}

function names(given: string, before: string[]): string[] {
  return [...before, ...given.split(',').map((name) => name.trim())];
}

function wholeNumber(given: string): number {
  if (!/^\d+$/.test(given)) throw new InvalidArgumentError('It is no whole number.');
  return Number(given);
}
