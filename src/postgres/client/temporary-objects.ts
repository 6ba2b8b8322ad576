import type { ScanOptions } from '../sql/sql-scanner.ts';
import { isWord, statementsOf, type Token } from '../sql/statements.ts';

// A match within a value costs an additional statement and has no other effect.
const suspicious = /\b(?:pg_)?temp(?:orary)?\b/i;

/** Returns whether a text creates a temporary object that the end of the transaction does not drop. */
export function leavesTemporaryObjects(text: string, options?: ScanOptions): boolean {
  return (
    suspicious.test(text) &&
    statementsOf(text, options).some((statement) => {
      const body = bodyOf(statement);
      if (body !== null) return leavesTemporaryObjects(body);
      return createsTemporaryObject(statement) && !dropsOnCommit(statement);
    })
  );
}

/** Returns whether a statement creates a temporary table (also by `select … into`), view or sequence, or any object in `pg_temp`. */
export function createsTemporaryObject(statement: readonly Token[]): boolean {
  const body = bodyOf(statement);
  if (body !== null) return suspicious.test(body) && statementsOf(body).some(createsTemporaryObject);
  let creates = false;
  for (const [index, token] of statement.entries()) {
    const next = statement.slice(index + 1, index + 6).find((word) => !isWord(word, ...beforeTemporary));
    if (isWord(token, 'create')) {
      if (isWord(next, ...temporary)) return true;
      creates ||= !isWord(next, 'unique', 'index');
    } else if (isWord(token, 'into')) {
      if (isWord(next, ...temporary) && !isWord(statement[index - 1], 'insert', 'merge')) return true;
    } else if (creates && token.text === 'pg_temp' && statement[index + 1]?.text === '.') return true;
  }
  return false;
}

const temporary = ['temp', 'temporary'];
const beforeTemporary = ['or', 'replace', 'global', 'local'];

function dropsOnCommit(statement: readonly Token[]): boolean {
  return statement.some(
    (token, index) =>
      isWord(token, 'on') && isWord(statement[index + 1], 'commit') && isWord(statement[index + 2], 'drop'),
  );
}

/** Returns the body of a `do` block as it is written, without its quotes. Null for any other statement. */
function bodyOf(statement: readonly Token[]): string | null {
  if (!isWord(statement[0], 'do')) return null;
  const { text = '' } = statement.find(({ kind }) => kind === 'string') ?? {};
  return text.replace(/^(?:e?'|\$[^$]*\$)/i, '').replace(/(?:'|\$[^$]*\$)$/, '');
}
