import { parseSql } from '../sql/parse-sql.ts';

/**
 * Returns the text of a check without its semicolon, so that it can be a subquery.
 *
 * @throws Error when it is not one query.
 */
export async function queryText(check: string): Promise<string> {
  const statements = await parseSql(check);
  // A newer server may understand it.
  if (!statements) return check;
  const [statement, another] = statements;
  if (!statement || another || !('SelectStmt' in statement.node) || statement.node.SelectStmt.intoClause)
    throw new Error(`a check is not one SELECT: ${check.trim()}`);
  return statement.text;
}

/** Returns a query that counts the rows of a check, as `found0`. */
export async function countingQuery(check: string): Promise<string> {
  return `select count(*) as found0 from (\n${await queryText(check)}\n) as checked`;
}
