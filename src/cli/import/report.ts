import { dim, say, sayError, table } from 'mikro-orm-safe-migrations/cli';
import type { Finding } from '../../legacy-import/finding.ts';
import type { ImportResult } from '../../legacy-import/import-legacy.ts';

const mostLines = 20;

/** The first findings, a line each, for people; the report has all of them. */
export class FindingLines {
  readonly #first: Finding[] = [];
  #count = 0;

  add(finding: Finding): void {
    this.#count++;
    // What was rejected matters most, and comes first.
    if (this.#first.length < mostLines) this.#first.push(finding);
    else if (finding.outcome === 'rejected') {
      const lesser = this.#first.findLastIndex(({ outcome }) => outcome !== 'rejected');
      if (lesser >= 0) this.#first[lesser] = finding;
    }
  }

  say(report: string | undefined): void {
    for (const { outcome, table: name, key, column, reason } of this.#first) {
      say(
        `${outcome.replaceAll('_', ' ')}: ${name} ${key}${column === null ? '' : `, ${column}`}: ${reason}`,
      );
    }
    const others = this.#count - this.#first.length;
    if (others > 0)
      say(dim(`…and ${others} more${report === undefined ? ': say --report to have all of them' : ''}`));
  }
}

/** What became of each table, what was left out, and what went wrong. */
export function sayResult({ tables, unknown, failures }: ImportResult, dryRun: boolean): void {
  const rows = tables
    .filter((one) => one.rows > 0)
    .map((one) => [
      one.table,
      number(one.rows),
      number(one.written),
      number(one.found),
      number(one.rejected),
      number(one.mintedKeys),
      number(one.jsonNulls),
      one.target === null ? '' : one.target.digest === one.sourceDigest ? one.sourceDigest : 'differs',
    ]);
  say(
    table(
      [
        'table',
        'rows',
        dryRun ? 'would be written' : 'written',
        'there already',
        'rejected',
        'minted keys',
        'JSON nulls',
        'digest of both sides',
      ],
      rows,
    ),
  );
  for (const { name, rows: count, skipped } of unknown) if (skipped) say(`left out: ${name} (${count} rows)`);
  for (const failure of failures) sayError(`failed: ${failure}`);
  if (failures.length === 0) say(dryRun ? 'Every row could be imported.' : 'Every row is accounted for.');
}

function number(count: number): string {
  return count === 0 ? '' : count.toLocaleString('en');
}
