import { DatabaseError } from 'pg';

/**
 * Returns whether the server refused the commit, so that the transaction was certainly rolled back: by an error of the severity ERROR. Any
 * other answer, and any end of the connection, may have come after the commit. `goesOn` resolves to whether the server takes another
 * statement.
 */
export async function isCommitRefused(error: Error, goesOn: () => Promise<boolean>): Promise<boolean> {
  if (!(error instanceof DatabaseError)) return false;
  // PgBouncer's own code, which its older versions send with this severity. An error of the server has a routine.
  if (error.code === '08P01' && error.routine === undefined) return false;
  if (error.severity === 'ERROR') return true;
  if (error.severity === 'FATAL' || error.severity === 'PANIC') return false;
  // The driver has the severity in the language of `lc_messages` only. After an ERROR, in any language, the server goes on.
  return goesOn();
}
