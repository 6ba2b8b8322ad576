import { SqlScanner } from '../../src/postgres/sql/sql-scanner.ts';

/**
 * Returns the statements of one query text, without what separates them: semicolons, blanks, comments before them. A semicolon in
 * parentheses separates nothing; one in the body of a `begin atomic` function does.
 */
export function splitStatements(sql: string): string[] {
  const scanner = new SqlScanner(sql);
  const statements: string[] = [];
  let [start, depth] = [-1, 0];
  const take = (end: number): void => {
    if (start >= 0) statements.push(sql.slice(start, end).trim());
    start = -1;
  };
  while (scanner.next()) {
    const sign = scanner.kind === 'sign' ? sql[scanner.start] : '';
    if (sign === '(') depth++;
    if (sign === ')') depth--;
    if (sign === ';' && depth === 0) take(scanner.start);
    else if (start < 0 && scanner.kind !== 'space' && scanner.kind !== 'comment') start = scanner.start;
  }
  take(sql.length);
  return statements;
}
