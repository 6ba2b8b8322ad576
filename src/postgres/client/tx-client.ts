import type { Socket } from 'node:net';
import { isNativeError } from 'node:util/types';
import { Client, DatabaseError, types, type Connection } from 'pg';
import { CommitUnknownError, ConnectionLostError, StatementError } from '../../errors.ts';
import { parseStoredDocument } from '../../json/stored-digits.ts';
import { requestCancel } from '../patches/cancel-request.ts';
import { answerTimeoutFor } from './answer-timeout.ts';
import { identifyClient } from './identify-client.ts';
import { isCommitRefused } from './is-commit-refused.ts';
import { sendQuery, type SendQuery } from './send-query.ts';
import { withConnectTimeout, type Release, type TxClientConfig } from './tx-client-config.ts';
import type { MetConnecting } from '../errors/connection-failures.ts';
import { useOptionalTls } from '../patches/optional-tls.ts';
import { proveRawPasswords } from '../patches/raw-passwords.ts';
import { takesRows, waitsForUs } from '../patches/streamed-statements.ts';
import { StringSyntax } from './string-syntax.ts';
import { TransactionEnd } from './transaction-end.ts';
import { endOnUnreadable } from '../patches/unreadable-answers.ts';
import { settlesWithin } from './settles-within.ts';

type Connected = ((error: Error) => void) & ((error: null, client: Client) => void);

const copyIsUnderWay =
  'a COPY is running on this connection: send other statements in another unit of work, or before it';

// Milliseconds for a connection to end in an orderly way. Otherwise the server rolls back when it notices.
const timeouts = { cancel: 1_000, end: 1_000, rollback: 5_000 };

/**
 * The driver's client, made for transactions. Emits `silence`, with the error, when it has closed a connection to a server that did not
 * answer.
 *
 * - The pool gets its slot back as soon as the connection is lost, even while the client is checked out. The ORM's query builder releases
 *   a client only when `commit` or `rollback` succeeded, and never when `begin` failed: each server process that dies in a transaction
 *   would cost the pool a slot.
 * - `begin` returns before its answer, which the first statement waits for. When `begin` failed, no statement is sent; all up to the
 *   `rollback` fail with its error.
 * - A `commit` that the server answered with a rollback fails. One that was sent, and neither confirmed nor refused with the severity
 *   ERROR, fails with `CommitUnknownError`, and the connection is closed.
 * - The connection to a server that does not answer in time is closed.
 */
export class TxClient extends Client {
  // Missing from the driver's types.
  declare readonly connection: Connection & { readonly stream: Socket };
  declare readonly processID: number | null;
  declare readonly secretKey: number | null;
  /** Called when the connection is lost while the client is checked out. */
  onLost: ((error: Error) => void) | undefined;
  #release: Release | undefined;
  #idleSince = 0;
  #begun: Promise<unknown> | undefined;
  #readOnly = false;
  #refusal: Error | undefined;
  #isLost = false;
  #isConnected = false;
  #isBusy = false;
  #isCommitting = false;
  #hasExtendedTimeout = false;
  #stream: object | undefined;
  #whenLost: (() => void) | undefined;
  readonly #answerTimeout: number;
  readonly #transactionEnd: TransactionEnd;
  /** How the server reads strings here. */
  readonly strings: StringSyntax;

  constructor(config?: string | TxClientConfig) {
    super(withConnectTimeout(config));
    useOptionalTls(this, config);
    endOnUnreadable(this.connection);
    this.strings = new StringSyntax(this.connection);
    this.#transactionEnd = new TransactionEnd(this.connection, this.strings);
    proveRawPasswords(this);
    this.setTypeParser(types.builtins.JSONB, parseStoredDocument);
    this.on('drain', () => {
      this.#isBusy = false;
      this.#stream = undefined;
    });
    this.on('error', (error) => this.#lose(error));
    this.on('end', () => this.#lose(new Error('Connection terminated unexpectedly')));
    this.#answerTimeout = typeof config === 'object' ? (config.answerTimeout ?? 0) : 0;
    this.once('connect', () => {
      this.#isConnected = true;
      this.connection.stream.setTimeout(this.#answerTimeout, () => {
        if (this.#awaitsAnswer) this.#failSilent();
      });
    });
    // oxlint-disable-next-line typescript/unbound-method -- `apply` calls it on this client
    this.query = new Proxy(this.query, {
      apply: (query, _client, given: unknown[]): unknown => {
        const send: SendQuery = (...all) => {
          this.#isBusy = true;
          return Reflect.apply(query, this, all);
        };
        const [text] = given;
        if (text === 'commit' || text === 'rollback') this.#transactionEnd.unwatch();
        else this.#transactionEnd.send(typeof text === 'string' ? text : '');
        if (text === 'rollback') return this.#rollback(send, given);
        if (text === identifyClient) return Promise.resolve({ rows: [{ client: this }] });
        if (typeof text !== 'string' || typeof given.at(-1) === 'function') {
          if (typeof text === 'object' && text !== null) this.#stream = text;
          return send(...given);
        }
        if (this.#refusal) return Promise.reject(this.#refusal);
        if (takesRows(this.#stream)) return Promise.reject(new StatementError(copyIsUnderWay, {}));
        if (/^(?:begin|start transaction)\b/.test(text)) return this.#begin(send, given);
        if (text === 'commit') return this.#commit(send, given);
        return this.#begun ? this.#onceBegun(this.#begun, send, given) : sendQuery(send, given);
      },
    });
  }

  /** Returns the client to the pool, once. The pool sets it at each checkout. */
  get release(): Release {
    return (error) => this.#giveBack(error);
  }

  set release(release: Release) {
    this.#release = release;
  }

  /** Extends the answer timeout to a transaction's statement timeout, until the client is released: milliseconds, 0 for no limit. */
  extendAnswerTimeout(statementTimeout: number): void {
    this.#hasExtendedTimeout = true;
    this.connection.stream.setTimeout(answerTimeoutFor(this.#answerTimeout, statementTimeout));
  }

  /** Resolves when no statement is running. */
  idle(): Promise<void> {
    if (!this.#isBusy || this.#isLost) return Promise.resolve();
    return new Promise<void>((resolve) => {
      const settle = () => {
        this.off('drain', settle).off('end', settle);
        resolve();
      };
      this.on('drain', settle).on('end', settle);
    });
  }

  /** The command of a statement that ended its transaction; undefined when none did. */
  get endedBy(): string | undefined {
    return this.#transactionEnd.command;
  }

  /** Milliseconds since it was released; 0 while it is checked out. */
  get idleFor(): number {
    return this.isIdle ? performance.now() - this.#idleSince : 0;
  }

  /** Whether it is connected and not checked out. */
  get isIdle(): boolean {
    return this.#isConnected && this.#release === undefined;
  }

  /**
   * Refuses further statements, cancels the running one on the server, and closes the connection. It is not reused, so that a late cancel, or
   * code that still has the client, can't affect another unit of work.
   */
  async abort(reason: unknown): Promise<void> {
    this.#refusal = new ConnectionLostError('the unit of work was aborted, and its connection closed', {
      cause: reason,
    });
    if (this.#awaitsAnswer) {
      const answer = new Promise<void>((resolve) => this.once('drain', resolve).once('end', resolve));
      const deadline = AbortSignal.timeout(timeouts.cancel);
      // A cancel that arrives before the statement has no effect.
      do await this.#cancel(deadline);
      while (!(await settlesWithin(timeouts.cancel / 10, answer)) && !deadline.aborted);
    }
    this.drop(this.#refusal);
  }

  /** Closes the connection at once; a running statement fails with `error`. */
  drop(error: Error): void {
    this.connection.stream.destroy(error);
    this.#lose(error);
  }

  override connect(): Promise<Client>;
  override connect(callback: Connected): void;
  override connect(callback?: Connected): Promise<Client> | void {
    if (!callback) return super.connect();
    super.connect((error: Error | null) => {
      if (!error) return callback(null, this);
      // When the driver refuses the login itself, it leaves the connection open until the server's authentication_timeout, a minute.
      this.connection.stream.destroy();
      const met: MetConnecting = Object.assign(error, { whileConnecting: true as const });
      callback(met);
    });
  }

  /** Closes the connection in an orderly way, if the server answers within a second. */
  override end(): Promise<void>;
  override end(callback: (error: Error) => void): void;
  override end(callback?: (error: Error) => void): Promise<void> | void {
    const { stream } = this.connection;
    const overdue = setTimeout(() => stream.destroy(), timeouts.end).unref();
    stream.once('close', () => clearTimeout(overdue));
    return callback ? super.end(callback) : super.end();
  }

  get #awaitsAnswer(): boolean {
    return this.#isBusy && !this.#isLost && !waitsForUs(this.#stream, this.connection.stream);
  }

  #failSilent(): void {
    // In the form of the operating system's errors.
    const fields = { code: 'ETIMEDOUT', syscall: 'read' };
    const error = Object.assign(new Error('the server did not answer in time'), fields);
    this.drop(error);
    this.emit('silence', error);
  }

  // Not a commit: one that waits for a synchronous standby would be committed without it.
  async #cancel(deadline: AbortSignal): Promise<void> {
    if (this.#isCommitting || this.processID === null || this.secretKey === null) return;
    await requestCancel(this, [this.processID, this.secretKey], deadline);
  }

  #lose(error: Error): void {
    if (this.#isLost) return;
    // Otherwise the server notices when it sends the answer, which may be hours later, and keeps its locks until then.
    if (this.#awaitsAnswer && !(error instanceof DatabaseError))
      void this.#cancel(AbortSignal.timeout(timeouts.cancel));
    this.#isLost = true;
    const { onLost } = this;
    this.#whenLost?.();
    this.#giveBack(error);
    onLost?.(error);
  }

  #giveBack(error?: Error | boolean): void {
    const release = this.#release;
    this.#release = undefined;
    this.#idleSince = performance.now();
    this.onLost = undefined;
    if (this.#hasExtendedTimeout) this.connection.stream.setTimeout(this.#answerTimeout);
    this.#hasExtendedTimeout = false;
    release?.(error ?? this.#refusal);
  }

  #begin(send: SendQuery, given: unknown[]): Promise<object> {
    this.#transactionEnd.watch();
    const begun = sendQuery(send, given);
    this.#readOnly = String(given[0]).includes('read only');
    this.#begun = begun;
    begun.then(
      () => (this.#begun = undefined),
      // Thrown by the statements that wait for it.
      () => {},
    );
    return Promise.resolve({ command: 'BEGIN', rowCount: null, rows: [] });
  }

  async #onceBegun(begun: Promise<unknown>, send: SendQuery, given: unknown[]): Promise<unknown> {
    await begun;
    if (this.#refusal) throw this.#refusal;
    return sendQuery(send, given);
  }

  async #commit(send: SendQuery, given: unknown[]): Promise<unknown> {
    await this.#begun;
    if (this.#refusal) throw this.#refusal;
    // A connection that is lost by now does not send it.
    const isSent = !this.#isLost;
    this.#isCommitting = true;
    const result = await sendQuery(send, given)
      .catch(async (error: Error) => {
        // The outcome is known when the commit was not sent, or nothing was written.
        if (!isSent || this.#readOnly || (await isCommitRefused(error, () => this.#goesOn()))) throw error;
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

  /** Returns whether the server takes another statement, rather than the connection ending, at the answer timeout at the latest. */
  #goesOn(): Promise<boolean> {
    if (this.#isLost || !this.#isBusy) return Promise.resolve(!this.#isLost);
    return new Promise((resolve) => {
      this.once('drain', () => resolve(true));
      this.#whenLost = () => resolve(false);
    });
  }

  async #rollback(send: SendQuery, given: unknown[]): Promise<unknown> {
    const overdue = setTimeout(() => this.#failSilent(), timeouts.rollback);
    try {
      await this.#begun;
      return await sendQuery(send, given);
    } catch (error) {
      this.drop(isNativeError(error) ? error : new Error('Connection terminated'));
      return { command: 'ROLLBACK', rowCount: 0, rows: [] };
    } finally {
      clearTimeout(overdue);
    }
  }
}
