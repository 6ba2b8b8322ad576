import { SqlScanner, type ScanOptions } from '../../postgres/sql/sql-scanner.ts';

// What of a longer one is shown is at its beginning.
const longestRead = 20_000;
const longestShown = 2_000;

/**
 * Returns a statement without values: `?` for each literal, `?, …` for a list of them, no comments, on one line, at most 2,000
 * characters of it. Where a string or a name is not closed, a quote before it may be misplaced, and what looks like SQL be a value: the
 * statement is cut at its first quote.
 */
export function statementText(sql: string, options?: ScanOptions): string {
  const source = sql.slice(0, longestRead);
  const isWhole = source.length === sql.length;
  const scanner = new SqlScanner(source, options);
  let shown = '';
  let beforeQuotes: number | undefined;
  let isAfterNumber = false;
  while (scanner.next()) {
    const { kind, start, end } = scanner;
    if (quotes.has(kind)) beforeQuotes ??= shown.length;
    if (kind === 'space' || kind === 'comment') shown += ' ';
    else if (kind === 'string' || kind === 'number') shown += '?';
    // `0xfg` and the like: the server refuses it, or takes the end for another name of the number.
    else if (!(isAfterNumber && kind === 'word')) shown += source.slice(start, end);
    isAfterNumber = kind === 'number' || (isAfterNumber && kind === 'word');
  }
  const isDoubtful = scanner.isOpen && isWhole;
  const text = (isDoubtful ? `${shown.slice(0, beforeQuotes)}?` : shown)
    .replaceAll(/ {2,}/g, ' ')
    .replaceAll(/\?(?: ?, ?\?)+/g, '?, …')
    .trim();
  return text.length > longestShown || !isWhole || isDoubtful ? `${text.slice(0, longestShown)}…` : text;
}

const quotes: ReadonlySet<string> = new Set(['string', 'quoted name', 'comment']);

/** Returns the command that a statement begins with, in capitals; `QUERY` where none is found. */
export function operationName(sql: string): string {
  const scanner = new SqlScanner(sql.slice(0, 500));
  while (scanner.next())
    if (scanner.kind === 'word') return sql.slice(scanner.start, scanner.end).toUpperCase();
  return 'QUERY';
}
