import type { Node } from 'libpg-query';

export interface ParsedStatement {
  /** As it is written, without its semicolon. */
  readonly text: string;
  readonly node: Node;
}

/**
 * Returns the statements of a text as PostgreSQL's own grammar reads them, that of version 18, which is loaded at the first call; null
 * where it can't read the text. A newer server may read it all the same.
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
