import { isParking } from './marks/parking-mark.ts';
import { parseSql, type ParsedStatement } from './parse-sql.ts';

// A text without any of these words is not parsed: it may have a million values.
const suspicious = /\b(?:do|call|select|values|table)\b/i;

/**
 * Whether a text executes a block, a procedure or a plain query, which may call functions whose effects depend on rows. Also true if
 * PostgreSQL's grammar can't parse the text. What parks or puts back depends on no row.
 */
export async function callsCode(sql: string): Promise<boolean> {
  if (!suspicious.test(sql) || isParking(sql)) return false;
  const statements = await parseSql(sql);
  return statements?.some(executesCode) ?? true;
}

function executesCode({ node }: ParsedStatement): boolean {
  // A query with a `with` usually deletes or updates.
  return 'DoStmt' in node || 'CallStmt' in node || ('SelectStmt' in node && !node.SelectStmt.withClause);
}
