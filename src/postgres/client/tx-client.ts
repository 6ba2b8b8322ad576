import { isNativeError } from 'node:util/types';
import { types } from 'pg';
import { CommitUnknownError, StatementError } from '../../errors.ts';
import { parseStoredDocument } from '../../json/stored-digits.ts';
import { endCursorWithClient } from '../patches/pg/cursor-end.ts';
import { acceptsCopyData } from '../patches/pg/streaming-state.ts';
import { identifyClient } from './identify-client.ts';
import { isCommitRefused } from './is-commit-refused.ts';
import { NamedStatements, statementName } from './named-statements.ts';
import { sendQuery, type SendQuery } from './send-query.ts';
import { StringSyntax } from '../sql/string-syntax.ts';
import { SupervisedClient } from './supervised-client.ts';
import { TransactionEndDetector } from './transaction-end-detector.ts';
import { taggedStatement, taggedText } from '../sql/statement-tags.ts';
import type { TxClientConfig } from './tx-client-config.ts';

const copyIsRunning =
  'a COPY is running on this connection: send other statements in another unit of work, or before it';

// Milliseconds. Without an answer, the connection is closed, and the server rolls back when it notices.
const rollbackTimeoutMs = 5_000;

/**
 * The driver's client, made for transactions.
 *
 * - `begin` returns before its answer, which the first statement waits for. When `begin` failed, no statement is sent; all up to the
 *   `rollback` fail with its error.
 * - A `commit` that the server answered with a rollback fails. One that was sent, and neither confirmed nor refused with the severity
 *   ERROR, fails with `CommitUnknownError`, and the connection is closed.
 */
export class TxClient extends SupervisedClient {
  /** How the server reads strings on this connection. */
  readonly strings: StringSyntax;
  readonly #transactionEnd: TransactionEndDetector;
  readonly #named: NamedStatements;
  #pendingBegin: Promise<unknown> | undefined;
  #isReadOnly = false;
  #isCommitting = false;

  constructor(config?: string | TxClientConfig) {
    super(config);
    this.strings = new StringSyntax(this.connection);
    this.#transactionEnd = new TransactionEndDetector(this.connection, this.strings);
    this.#named = new NamedStatements(this.connection);
    this.setTypeParser(types.builtins.JSONB, parseStoredDocument);
    // oxlint-disable-next-line typescript/unbound-method -- `apply` calls it on this client
    this.query = new Proxy(this.query, {
      apply: (query, _client, given: unknown[]): unknown => {
        const send: SendQuery = (...all) => {
          this.markBusy();
          return Reflect.apply(query, this, all);
        };
        const [text] = given;
        if (text === 'commit' || text === 'rollback') this.#transactionEnd.stop();
        else this.#transactionEnd.recordStatement(typeof text === 'string' ? text : '');
        if (text === 'rollback') return this.#rollback(send, given);
        if (text === identifyClient) return Promise.resolve({ rows: [{ client: this }] });
        if (typeof text !== 'string' || typeof given.at(-1) === 'function') {
          if (typeof text === 'object' && text !== null) this.#startStream(text);
          return send(...given);
        }
        if (this.refusal) return Promise.reject(this.refusal);
        if (acceptsCopyData(this.stream)) return Promise.reject(new StatementError(copyIsRunning, {}));
        if (/^(?:begin|start transaction)\b/.test(text)) return this.#begin(send, given);
        if (text === 'commit') return this.#commit(send, given);
        return this.#pendingBegin
          ? this.#sendAfterBegin(this.#pendingBegin, send, given)
          : this.#send(send, given);
      },
    });
  }

  /** The command of a statement that ended its transaction; undefined when none did. */
  get transactionEndedBy(): string | undefined {
    return this.#transactionEnd.command;
  }

  /** Whether statements that were marked by `named` are sent with their names. */
  protected get namesStatements(): boolean {
    return false;
  }

  /** The tag of the statements that the current code sends; undefined for none. */
  get tag(): string | undefined {
    return undefined;
  }

  // Not a commit: one that waits for a synchronous standby would be committed without it.
  protected override get isCancellable(): boolean {
    return !this.#isCommitting;
  }

  #startStream(query: object): void {
    this.stream = query;
    tagStream(query, this.tag);
    endCursorWithClient(query, this, () => this.isLost);
  }

  #begin(send: SendQuery, given: unknown[]): Promise<object> {
    this.#transactionEnd.start();
    const begin = sendQuery(send, given);
    this.#isReadOnly = String(given[0]).includes('read only');
    this.#pendingBegin = begin;
    begin.then(
      () => (this.#pendingBegin = undefined),
      // Thrown by the statements that wait for it.
      () => {},
    );
    return Promise.resolve({ command: 'BEGIN', rowCount: null, rows: [] });
  }

  async #sendAfterBegin(begin: Promise<unknown>, send: SendQuery, given: unknown[]): Promise<unknown> {
    await begin;
    if (this.refusal) throw this.refusal;
    return this.#send(send, given);
  }

  #send(send: SendQuery, given: unknown[]): Promise<unknown> {
    const [text, values] = given;
    const { tag } = this;
    if (typeof text !== 'string') return sendQuery(send, given);
    const name = this.namesStatements ? statementName(text) : undefined;
    if (name === undefined)
      return sendQuery(send, tag === undefined ? given : [taggedText(text, tag), values]);
    const statement = tag === undefined ? { name, text } : taggedStatement(name, text, tag);
    return this.#named.send(send, statement.name, statement.text, values);
  }

  async #commit(send: SendQuery, given: unknown[]): Promise<unknown> {
    await this.#pendingBegin;
    if (this.refusal) throw this.refusal;
    // A connection that is lost by now does not send it.
    const isSent = !this.isLost;
    this.#isCommitting = true;
    const result = await sendQuery(send, given)
      .catch(async (error: Error) => {
        // The outcome is known when the commit was not sent, or nothing was written.
        if (!isSent || this.#isReadOnly || (await isCommitRefused(error, () => this.acceptsStatements())))
          throw error;
        const unknown = new CommitUnknownError({ cause: error });
        this.drop(unknown);
        throw unknown;
      })
      .finally(() => (this.#isCommitting = false));
    if (typeof result === 'object' && result && 'command' in result && result.command === 'ROLLBACK') {
      throw new StatementError(
        'a statement of the transaction had failed before its commit, and it was rolled back (25P02)',
        {},
      );
    }
    return result;
  }

  async #rollback(send: SendQuery, given: unknown[]): Promise<unknown> {
    const overdue = setTimeout(() => this.closeSilent(), rollbackTimeoutMs);
    try {
      await this.#pendingBegin;
      return await sendQuery(send, given);
    } catch (error) {
      this.drop(isNativeError(error) ? error : new Error('Connection terminated'));
      return { command: 'ROLLBACK', rowCount: 0, rows: [] };
    } finally {
      clearTimeout(overdue);
    }
  }
}

/** Tags a COPY or a cursor, which the driver sends by its text. */
function tagStream(query: { text?: unknown }, tag: string | undefined): void {
  if (tag !== undefined && typeof query.text === 'string') query.text = taggedText(query.text, tag);
}
