import type { VariableSetStmt } from 'libpg-query';
import { parseSql, type ParsedStatement } from './parse-sql.ts';
import { scanSql } from './scan-sql.ts';

// A text without any of these words is not parsed: it may have a million values.
const suspicious = /\b(?:begin|start|commit|end|abort|rollback|prepare|transaction|transaction_isolation)\b/i;

/**
 * Returns the first statement of a text that begins or ends a transaction, or sets its isolation level or snapshot, which only its first
 * statement can; as written, and null without one. Savepoints do neither. If
 * PostgreSQL's grammar can't parse the text, any statement that starts with such a word counts: refusing a migration that a newer
 * server would accept is safer than a transaction that ends too early.
 */
export async function findTransactionControl(sql: string): Promise<string | null> {
  const [word] = suspicious.exec(sql) ?? [];
  if (word === undefined) return null;
  const statements = await parseSql(sql);
  if (statements) return statements.find(controlsTransaction)?.text ?? null;
  const tokens = await scanSql(sql);
  return tokens ? controlAmong(tokens.map(({ text }) => text)) : word;
}

function controlsTransaction({ node }: ParsedStatement): boolean {
  if ('VariableSetStmt' in node) return setsIsolation(node.VariableSetStmt);
  return 'TransactionStmt' in node && !ofSavepoints.has(node.TransactionStmt.kind);
}

const ofSavepoints = new Set<string | undefined>([
  'TRANS_STMT_SAVEPOINT',
  'TRANS_STMT_RELEASE',
  'TRANS_STMT_ROLLBACK_TO',
]);

function setsIsolation({ kind, name, args = [] }: VariableSetStmt): boolean {
  if (name === 'TRANSACTION')
    return args.some((arg) => 'DefElem' in arg && arg.DefElem.defname === 'transaction_isolation');
  return name === 'TRANSACTION SNAPSHOT' || (name === 'transaction_isolation' && kind === 'VAR_SET_VALUE');
}

function controlAmong(texts: readonly string[]): string | null {
  const tokens = texts.filter((text) => !/^(?:--|\/\*)/.test(text));
  return (
    tokens.find(
      (text, index) => (index === 0 || tokens[index - 1] === ';') && isControl(text, tokens[index + 1]),
    ) ?? null
  );
}

function isControl(word: string, next = ''): boolean {
  if (/^rollback$/i.test(word)) return !/^to$/i.test(next);
  if (/^(?:start|prepare)$/i.test(word)) return /^transaction$/i.test(next);
  return /^(?:begin|commit|end|abort)$/i.test(word);
}
