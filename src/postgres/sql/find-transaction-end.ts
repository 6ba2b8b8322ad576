import type { ScanOptions } from './sql-scanner.ts';
import { isWord, statementsOf } from './statements.ts';

// Most texts have none of these words and need no tokens.
const suspicious = /\b(?:commit|end|abort|rollback|prepare)\b/i;

/**
 * Returns the first command of a text that ends the transaction in which it runs, in lower case: `commit`, `end`, `abort`, `rollback` or
 * `prepare transaction`; null without one. A rollback to a savepoint does not end it. Functions and `do` blocks are not searched: in them,
 * the server refuses to end a transaction that began outside.
 */
export function findTransactionEnd(text: string, options?: ScanOptions): string | null {
  if (!suspicious.test(text)) return null;
  for (const [first, second, third] of statementsOf(text, options)) {
    if (isWord(first, 'commit', 'end', 'abort')) return first?.text ?? null;
    if (isWord(first, 'rollback') && !isWord(isWord(second, 'work', 'transaction') ? third : second, 'to'))
      return 'rollback';
    if (isWord(first, 'prepare') && isWord(second, 'transaction')) return 'prepare transaction';
  }
  return null;
}
