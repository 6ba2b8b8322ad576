/**
 * Returns the milliseconds that a server may take to answer, 0 for no limit: at least five seconds more than the statement timeout, so that
 * the server can cancel the statement and report it.
 */
export function answerTimeoutFor(answerTimeout: number, statementTimeout: number): number {
  return answerTimeout === 0 || statementTimeout === 0
    ? 0
    : Math.max(answerTimeout, statementTimeout + 5_000);
}
