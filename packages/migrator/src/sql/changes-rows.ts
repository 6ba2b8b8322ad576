import type { Node } from 'libpg-query';
import { parseSql } from './parse-sql.ts';

// A text without any of these words is not parsed.
const suspicious = /\b(?:insert|update|delete|merge|truncate|copy|into|as|do|call|select|execute)\b/i;

/** What a statement does that the schema does not show. */
export type RowChange = 'changes rows' | 'runs code';

/**
 * Returns whether a text changes rows or runs code, which may change them, by the grammar of PostgreSQL; null if it does neither. A text that
 * the grammar can't parse counts as code.
 */
export async function findRowChange(sql: string): Promise<RowChange | null> {
  if (!suspicious.test(sql)) return null;
  const statements = await parseSql(sql);
  if (statements === null) return 'runs code';
  const found = statements.map(({ node }) => changeOf(node));
  return found.find((change) => change === 'changes rows') ?? found.find((change) => change !== null) ?? null;
}

function changeOf(node: Node): RowChange | null {
  if ('InsertStmt' in node || 'UpdateStmt' in node || 'DeleteStmt' in node || 'MergeStmt' in node)
    return 'changes rows';
  if ('TruncateStmt' in node) return 'changes rows';
  if ('CopyStmt' in node) return node.CopyStmt.is_from ? 'changes rows' : null;
  if ('CreateTableAsStmt' in node) {
    const { into, objtype } = node.CreateTableAsStmt;
    // A materialized view can be refreshed.
    return into?.skipData || objtype === 'OBJECT_MATVIEW' ? null : 'changes rows';
  }
  if ('DoStmt' in node || 'CallStmt' in node || 'ExecuteStmt' in node) return 'runs code';
  if (!('SelectStmt' in node)) return null;
  if (node.SelectStmt.intoClause) return 'changes rows';
  const parts = JSON.stringify(node);
  if (/"(?:InsertStmt|UpdateStmt|DeleteStmt|MergeStmt)"/.test(parts)) return 'changes rows';
  return parts.includes('"FuncCall"') ? 'runs code' : null;
}
