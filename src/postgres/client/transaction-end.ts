import type { Connection } from 'pg';

/**
 * Detects, from the server's answers, that a statement ended the transaction that it ran in: the command tags and the transaction's
 * status say so, however the statement was written, and also when another transaction began in the same message.
 */
export class TransactionEnd {
  #isWatching = false;
  #text = '';
  #rolledBack = false;
  #command: string | undefined;

  constructor(connection: Connection) {
    connection.on('commandComplete', ({ text }: { text: string }) => {
      if (this.#isWatching) this.#complete(text);
    });
    connection.on('readyForQuery', ({ status }: { status: string }) => {
      if (this.#rolledBack && status === 'I') this.#command ??= 'ROLLBACK';
      this.#rolledBack = false;
    });
  }

  /** The command that ended it (COMMIT, ROLLBACK or PREPARE TRANSACTION); undefined while it goes on. */
  get command(): string | undefined {
    return this.#command;
  }

  /** A transaction begins. */
  watch(): void {
    this.#isWatching = true;
    this.#command = undefined;
  }

  /** Its own end is sent next. */
  unwatch(): void {
    this.#isWatching = false;
  }

  /** A statement is sent. */
  send(text: string): void {
    this.#text = text;
  }

  #complete(tag: string): void {
    if (tag === 'COMMIT' || tag === 'PREPARE TRANSACTION') this.#command ??= tag;
    else if (tag === 'ROLLBACK') {
      // Also the tag of `rollback to savepoint`. Then the transaction goes on; so it does after `and chain`, but as another one.
      this.#rolledBack = true;
      if (/\bchain\b/i.test(this.#text)) this.#command ??= tag;
    } else if (this.#rolledBack && (tag === 'BEGIN' || tag === 'START TRANSACTION'))
      this.#command ??= 'ROLLBACK';
  }
}
