import { hasLostOutput, print, UsageError, writeTo } from 'mikro-orm-safe-migrations/cli';
import { isNativeError } from 'node:util/types';
import { Database } from '../../database/database.ts';
import { SourceTimeZone } from '../../legacy-import/conversion/source-time-zone.ts';
import { importLegacy, type ImportOptions, type ImportResult } from '../../legacy-import/import-legacy.ts';
import { PartialFile } from '../../legacy-import/partial-file.ts';
import { ReportFile } from '../../legacy-import/report-file.ts';
import type { LegacySource } from '../../legacy-import/source/legacy-source.ts';
import { openLegacySource } from '../../legacy-import/source/open-legacy-source.ts';
import { printDatabase, withDatabase } from '../connection/with-database.ts';
import type { ImportCommandOptions } from './command-options.ts';
import { keepHeapSmall } from '../rows/keep-heap-small.ts';
import { ImportProgress } from '../progress/import-progress.ts';
import { FindingsSummary, printResult } from './report.ts';

/** Runs `synthdb import`: imports the source, or only reports with `dryRun`. Sets exit code 1 when the import has failures. */
export async function importDatabase({
  from,
  fromEnv,
  dryRun = false,
  ...given
}: ImportCommandOptions): Promise<void> {
  keepHeapSmall();
  const options = optionsOf(given);
  await using source = await openLegacySource(sourceOf(from, fromEnv));
  if (dryRun) return await run(source, null, null, options, given);
  await withDatabase('application', (orm, info) => {
    if (!given.json) printDatabase(info);
    return run(source, new Database(orm), info.database, options, given);
  });
}

async function run(
  source: LegacySource,
  database: Database | null,
  target: string | null,
  options: ImportOptions,
  { report: path, exportSkipped, json = false }: Omit<ImportCommandOptions, 'from'>,
): Promise<void> {
  using skipped = exportSkipped === undefined ? null : new PartialFile('the export', exportSkipped);
  using report = path === undefined && !json ? null : new ReportFile(path);
  const summary = new FindingsSummary();
  const progress = new ImportProgress(json, database === null);
  let result: ImportResult;
  try {
    result = await importLegacy(source, database, options, {
      onFinding: (finding) => {
        summary.add(finding);
        report?.add(finding);
      },
      ...(skipped && { onSkipped: (row) => skipped.write(`${JSON.stringify(row)}\n`) }),
      onProgress: (state) => progress.show(state),
      onTable: (table) => progress.finishTable(table),
    });
  } catch (error) {
    const failures = [isNativeError(error) ? error.message : String(error)];
    report?.end({ source: source.label, target, failures });
    if (json) await printReport(report);
    throw error;
  } finally {
    progress.stop();
  }
  skipped?.complete();
  report?.end({ source: source.label, target, ...result });
  if (result.failures.length > 0) process.exitCode = 1;
  if (json) return await printReport(report);
  summary.print(path);
  printResult(result, { dryRun: database === null, zone: options.zone?.name, exportSkipped });
  if (path !== undefined) print(`Report: ${path}`);
}

function sourceOf(from: string | undefined, variable: string | undefined): string {
  if ((from === undefined) === (variable === undefined))
    throw new UsageError('give the source once: --from with its path or URL, or --from-env');
  if (from !== undefined) return from;
  const value = process.env[variable ?? ''];
  if (value === undefined || value.trim() === '')
    throw new UsageError(`--from-env names ${variable}, which is not set in the environment`);
  return value;
}

/** Writes the document to standard output with backpressure; stops when the output is closed. */
async function printReport(report: ReportFile | null): Promise<void> {
  for await (const chunk of report?.contents() ?? []) {
    await writeTo(1, chunk);
    if (hasLostOutput(1)) return;
  }
}

function optionsOf(given: Omit<ImportCommandOptions, 'from'>): ImportOptions {
  return {
    zone: given.sourceTimeZone === undefined ? undefined : new SourceTimeZone(given.sourceTimeZone),
    skip: given.skip,
    allowRejected: given.allowRejected,
    replaceInvalidJson: given.replaceInvalidJson,
    nullDangling: given.nullDangling,
    strict: given.strict,
  };
}
