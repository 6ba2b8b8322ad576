import { SqlScanner, type ScanOptions } from '../../postgres/sql/sql-scanner.ts';

// Of a longer statement, the beginning is enough.
const maxScanned = 20_000;
const maxLength = 2_000;

/**
 * Returns a statement without values: `?` for each literal, `?, …` for a list of them, `$1, …` for a list of more than two parameters, no
 * comments, on one line, at most 2,000 characters. Where a string or a name is not closed, a quote before it may be misplaced, and apparent SQL may be a value: the statement
 * is cut at its first quote.
 */
export function statementText(sql: string, options?: ScanOptions): string {
  const source = sql.slice(0, maxScanned);
  const isComplete = source.length === sql.length;
  const scanner = new SqlScanner(source, options);
  let stripped = '';
  let beforeQuotes: number | undefined;
  let isAfterNumber = false;
  while (scanner.next()) {
    const { kind, start, end } = scanner;
    if (quotes.has(kind)) beforeQuotes ??= stripped.length;
    if (kind === 'space' || kind === 'comment') stripped += ' ';
    else if (kind === 'string' || kind === 'number') stripped += '?';
    // `0xfg` and the like: the server refuses it, or takes the end for another name of the number.
    else if (!(isAfterNumber && kind === 'word')) stripped += source.slice(start, end);
    isAfterNumber = kind === 'number' || (isAfterNumber && kind === 'word');
  }
  const isUnclosed = scanner.isOpen && isComplete;
  const text = (isUnclosed ? `${stripped.slice(0, beforeQuotes)}?` : stripped)
    .replaceAll(/ {2,}/g, ' ')
    .replaceAll(/\?(?: ?, ?\?)+/g, '?, …')
    .replaceAll(/(\$\d+)(?:::\w+)?(?: ?, ?\$\d+(?:::\w+)?){2,}/g, '$1, …')
    .trim();
  return text.length > maxLength || !isComplete || isUnclosed ? `${text.slice(0, maxLength)}…` : text;
}

const quotes: ReadonlySet<string> = new Set(['string', 'quoted name', 'comment']);

/** Returns the first word of a statement, in capitals; `QUERY` when there is no word in its first 500 characters. */
export function operationName(sql: string): string {
  const scanner = new SqlScanner(sql.slice(0, 500));
  while (scanner.next())
    if (scanner.kind === 'word') return sql.slice(scanner.start, scanner.end).toUpperCase();
  return 'QUERY';
}
