/** Thrown when the transaction that was begun for a step ended before the step did. The message says what was kept. */
export class TransactionEndedError extends Error {
  override readonly name = 'TransactionEndedError';
}
