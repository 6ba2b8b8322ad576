import type { ScanOptions } from './sql-scanner.ts';
import { isWord, statementsOf } from './statements.ts';

// Most texts hold none of these words, so that their tokens need not be looked at.
const suspicious = /\b(?:commit|end|abort|rollback|prepare)\b/i;

/**
 * Returns the first command of a text that ends the transaction in which it runs, in lower case: `commit`, `rollback`, `prepare
 * transaction`; null without one. Going back to a savepoint does not end it. What a function or a `do` block executes is not seen;
 * the server lets neither end a transaction that was begun outside.
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
