import type { Node } from 'libpg-query';

export type { AlterTableCmd, Constraint, IndexStmt, Node, RangeVar } from 'libpg-query';

export interface ParsedStatement {
  /** The source text, without its semicolon. */
  readonly text: string;
  readonly node: Node;
}

/**
 * Returns the statements of a text, parsed by PostgreSQL 18's own grammar, which is loaded at the first call; null if it can't parse
 * the text. A newer server may accept such a text.
 */
export async function parseSql(sql: string): Promise<ParsedStatement[] | null> {
  if (sql.trim() === '') return [];
  const { parse } = await import('libpg-query');
  const parsed = await parse(sql).catch(() => null);
  if (!parsed) return null;
  const bytes = Buffer.from(sql);
  return (parsed.stmts ?? []).flatMap(({ stmt: node, stmt_location: from = 0, stmt_len: length }) => {
    const text = bytes.toString('utf8', from, length ? from + length : undefined).trim();
    return node ? [{ text, node }] : [];
  });
}
