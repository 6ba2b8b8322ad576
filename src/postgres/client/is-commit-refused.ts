import { DatabaseError } from 'pg';

/**
 * Returns whether the server refused the commit by an error of the severity ERROR, so that the transaction was certainly rolled back. Any
 * other answer, and any end of the connection, may have come after the commit. `acceptsStatements` resolves to whether the server accepts
 * another statement.
 */
export async function isCommitRefused(
  error: Error,
  acceptsStatements: () => Promise<boolean>,
): Promise<boolean> {
  if (!(error instanceof DatabaseError)) return false;
  // PgBouncer's own code, which its older versions send with this severity. An error of the server has a routine.
  if (error.code === '08P01' && error.routine === undefined) return false;
  if (error.severity === 'ERROR') return true;
  if (error.severity === 'FATAL' || error.severity === 'PANIC') return false;
  // The driver has the severity only in the language of `lc_messages`. After an ERROR, in any language, the server accepts statements.
  return acceptsStatements();
}
