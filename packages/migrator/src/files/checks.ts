import type { Session } from '../session/session.ts';
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

/**
 * Runs the queries of a migration for rows that must not exist. `what` names them.
 *
 * @throws Error when one returns a row.
 */
export async function requireNoRows(
  session: Session,
  what: 'prechecks' | 'postchecks',
  checks: readonly string[],
): Promise<void> {
  for (const check of checks) {
    const [row] = await session.query<{ found0: string }>(await countingQuery(check));
    const found = Number(row?.found0);
    if (found > 0)
      throw new Error(
        `a query of its ${what} returns ${found === 1 ? '1 row' : `${found} rows`}: ${check.trim()}`,
      );
  }
}
