import { dim, print, printError, table } from 'mikro-orm-safe-migrations/cli';
import type { ImportFinding } from '../../legacy-import/conversion/import-finding.ts';
import type { TimeForm } from '../../legacy-import/conversion/read-timestamp.ts';
import type { ImportResult } from '../../legacy-import/import-legacy.ts';

const maxLines = 20;

/** Collects the first findings for display, rejected rows before others. The report has all of them. */
export class FindingsSummary {
  readonly #first: ImportFinding[] = [];
  #count = 0;

  add(finding: ImportFinding): void {
    this.#count++;
    if (this.#first.length < maxLines) this.#first.push(finding);
    else if (finding.outcome === 'rejected') {
      const lesser = this.#first.findLastIndex(({ outcome }) => outcome !== 'rejected');
      if (lesser >= 0) this.#first[lesser] = finding;
    }
  }

  /** Prints the findings, one line each. `report` is the path of the report, if one was written. */
  print(report: string | undefined): void {
    for (const { outcome, table: name, key, column, reason } of this.#first) {
      print(
        `${outcome.replaceAll('_', ' ')}: ${name} ${key}${column === null ? '' : `, ${column}`}: ${reason}`,
      );
    }
    const others = this.#count - this.#first.length;
    if (others > 0)
      print(dim(`…and ${others} more${report === undefined ? '; use --report for all of them' : ''}`));
  }
}

/** How a result is printed. */
export interface ResultOptions {
  readonly dryRun: boolean;
  /** The time zone of times without one. */
  readonly zone: string | undefined;
}

/** Prints the result of each table, how times were read, what was skipped, and the failures. */
export function printResult(
  { tables, unknown, absent, notes, failures }: ImportResult,
  { dryRun, zone }: ResultOptions,
): void {
  const rows = tables
    .filter((result) => result.rows > 0)
    .map((result) => [
      result.table,
      number(result.rows),
      number(result.written),
      number(result.found),
      number(result.rejected),
      number(result.generatedKeys),
      number(result.jsonNulls),
      result.target === null
        ? ''
        : result.target.digest === result.sourceDigest
          ? result.sourceDigest
          : 'differs',
    ]);
  print(
    table(
      [
        'table',
        'rows',
        dryRun ? 'would be written' : 'written',
        'existing',
        'rejected',
        'generated keys',
        'JSON nulls',
        'digest of both sides',
      ],
      rows,
    ),
  );
  printTimes(tables, zone);
  for (const { name, rows: count, skipped } of unknown)
    if (skipped) print(`skipped: ${name} (${count} rows)`);
  if (absent.length > 0)
    print(`Not in the source, so without rows, NULL or the default: ${absent.join(', ')}`);
  for (const note of notes) print(`Note: ${note}.`);
  for (const failure of failures) printError(`failed: ${failure}`);
  if (failures.length === 0) print(dryRun ? 'Every row could be imported.' : 'Every row is accounted for.');
}

const readings: Readonly<Record<TimeForm, (zone: string) => string>> = {
  with_offset: () => 'with an offset or Z',
  sqlite_now: () => 'written by SQLite, read in UTC',
  without_zone: (zone) => `without a zone, read in ${zone}`,
};

function printTimes(tables: ImportResult['tables'], zone = ''): void {
  const lines: string[] = [];
  for (const form of ['with_offset', 'sqlite_now', 'without_zone'] as const) {
    const count = tables.reduce((sum, { times }) => sum + (times[form] ?? 0), 0);
    if (count > 0) lines.push(`${number(count)} ${readings[form](zone)}`);
  }
  if (lines.length > 0) print(dim(`Times: ${lines.join('; ')}`));
}

function number(count: number): string {
  return count === 0 ? '' : count.toLocaleString('en');
}
