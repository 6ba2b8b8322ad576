import type { Connection } from 'pg';
import { findTransactionEnd } from '../sql/find-transaction-end.ts';
import type { ScanOptions } from '../sql/sql-scanner.ts';

/**
 * Detects, from the server's answers, that a statement ended the transaction that it ran in. The command tags and the transaction status
 * show it in any spelling of the statement, and also when another transaction began in the same message.
 */
export class TransactionEndDetector {
  #isActive = false;
  #text = '';
  #rolledBack = false;
  #command: string | undefined;
  readonly #strings: ScanOptions;

  constructor(connection: Connection, strings: ScanOptions) {
    this.#strings = strings;
    connection.on('commandComplete', ({ text }: { text: string }) => {
      if (this.#isActive) this.#complete(text);
    });
    connection.on('readyForQuery', ({ status }: { status: string }) => {
      if (this.#rolledBack && status === 'I') this.#command ??= 'ROLLBACK';
      this.#rolledBack = false;
    });
  }

  /** The command that ended it (COMMIT, ROLLBACK or PREPARE TRANSACTION); undefined while it is open. */
  get command(): string | undefined {
    return this.#command;
  }

  /** Starts the detection, when a transaction begins. */
  start(): void {
    this.#isActive = true;
    this.#command = undefined;
  }

  /** Stops the detection, before the transaction's own commit or rollback is sent. */
  stop(): void {
    this.#isActive = false;
  }

  /** Records the text of the statement that is sent next. */
  recordStatement(text: string): void {
    this.#text = text;
  }

  #complete(tag: string): void {
    if (tag === 'COMMIT' || tag === 'PREPARE TRANSACTION') this.#command ??= tag;
    else if (tag === 'ROLLBACK') {
      // Also the tag of `rollback to savepoint`, which leaves the transaction open. `and chain` begins another one.
      this.#rolledBack = true;
      if (findTransactionEnd(this.#text, this.#strings) !== null) this.#command ??= tag;
    } else if (this.#rolledBack && (tag === 'BEGIN' || tag === 'START TRANSACTION'))
      this.#command ??= 'ROLLBACK';
  }
}
