import { parseSql, type ParsedStatement } from './parse-sql.ts';

// Where none of these words is, nothing has to be parsed: a text may hold a million values.
const suspicious = /\b(?:do|call|select|values|table)\b/i;

/**
 * Whether a text executes a block, a procedure or a plain query, which may call functions: what these do may depend on rows. True also
 * where PostgreSQL's grammar can't read the text.
 */
export async function callsCode(sql: string): Promise<boolean> {
  if (!suspicious.test(sql)) return false;
  const statements = await parseSql(sql);
  return statements?.some(executesCode) ?? true;
}

function executesCode({ node }: ParsedStatement): boolean {
  // With a `with`, it is most often there to delete or update.
  return 'DoStmt' in node || 'CallStmt' in node || ('SelectStmt' in node && !node.SelectStmt.withClause);
}
