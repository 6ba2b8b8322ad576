import type { Socket } from 'node:net';
import { Client, DatabaseError, type Connection } from 'pg';
import { ConnectionLostError } from '../../errors.ts';
import type { ConnectPhaseError } from '../errors/connection-failures.ts';
import { requestCancel } from '../patches/pg/cancel-request.ts';
import { useOptionalTls } from '../patches/pg/optional-tls.ts';
import { correctSaslPrep } from '../patches/pg/sasl-prep.ts';
import { waitsForClient } from '../patches/pg/streaming-state.ts';
import { endOnUnreadable } from '../patches/pg/unreadable-answers.ts';
import { answerTimeoutFor } from './answer-timeout.ts';
import { settlesWithin } from './settles-within.ts';
import { withConnectTimeout, type Release, type TxClientConfig } from './tx-client-config.ts';

type Connected = ((error: Error) => void) & ((error: null, client: Client) => void);

// Milliseconds. After `end`, the socket of a server that does not close the connection is destroyed.
const timeouts = { cancel: 1_000, end: 1_000 };

/**
 * The driver's client with a supervised connection. Emits `silence`, with the error, when it has closed a connection to a server that did
 * not answer.
 *
 * - The pool gets its slot back as soon as the connection is lost, even while the client is checked out. The ORM's query builder releases
 *   a client only when `commit` or `rollback` succeeded, and never when `begin` failed: each server process that dies in a transaction
 *   would cost the pool a slot.
 * - The connection to a server that does not answer in time is closed.
 * - A statement whose connection is closed is cancelled on the server.
 */
export abstract class SupervisedClient extends Client {
  // Fields that are missing from the driver's types.
  declare readonly connection: Connection & { readonly stream: Socket };
  declare readonly processID: number | null;
  declare readonly secretKey: number | null;
  /** Called when the connection is lost while the client is checked out. */
  onLost: ((error: Error) => void) | undefined;
  /** The COPY or cursor that is running; undefined for any other statement, and between two. */
  protected stream: object | undefined;
  #release: Release | undefined;
  #idleSince = 0;
  #refusal: Error | undefined;
  #isLost = false;
  #isConnected = false;
  #isBusy = false;
  #hasExtendedTimeout = false;
  #whenLost: (() => void) | undefined;
  readonly #answerTimeout: number;

  constructor(config?: string | TxClientConfig) {
    super(withConnectTimeout(config));
    useOptionalTls(this, config);
    endOnUnreadable(this.connection);
    correctSaslPrep(this);
    this.on('drain', () => {
      this.#isBusy = false;
      this.stream = undefined;
    });
    this.on('error', (error) => this.#handleLoss(error));
    this.on('end', () => this.#handleLoss(new Error('Connection terminated unexpectedly')));
    this.#answerTimeout = typeof config === 'object' ? (config.answerTimeout ?? 0) : 0;
    this.once('connect', () => {
      this.#isConnected = true;
      this.connection.stream.setTimeout(this.#answerTimeout, () => {
        if (this.#awaitsAnswer) this.closeSilent();
      });
    });
  }

  /** Returns the client to the pool, once. The pool sets it at each checkout. */
  get release(): Release {
    return (error) => this.#returnToPool(error);
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
    this.#handleLoss(error);
  }

  override connect(): Promise<Client>;
  override connect(callback: Connected): void;
  override connect(callback?: Connected): Promise<Client> | void {
    if (!callback) return super.connect();
    super.connect((error: Error | null) => {
      if (!error) return callback(null, this);
      // When the driver refuses the login itself, it leaves the connection open until the server's authentication_timeout, a minute.
      this.connection.stream.destroy();
      const marked: ConnectPhaseError = Object.assign(error, { whileConnecting: true as const });
      callback(marked);
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

  /** Whether the running statement may be cancelled on the server. */
  protected abstract readonly isCancellable: boolean;

  /** The error of all further statements; undefined unless the client was aborted. */
  protected get refusal(): Error | undefined {
    return this.#refusal;
  }

  protected get isLost(): boolean {
    return this.#isLost;
  }

  /** Records that a statement is sent, until the server has answered it. */
  protected markBusy(): void {
    this.#isBusy = true;
  }

  /** Closes the connection to a server that did not answer in time. */
  protected closeSilent(): void {
    // In the form of the operating system's errors.
    const fields = { code: 'ETIMEDOUT', syscall: 'read' };
    const error = Object.assign(new Error('the server did not answer in time'), fields);
    this.drop(error);
    this.emit('silence', error);
  }

  /** Returns whether the server accepts another statement. False when the connection ends first, at the latest at the answer timeout. */
  protected acceptsStatements(): Promise<boolean> {
    if (this.#isLost || !this.#isBusy) return Promise.resolve(!this.#isLost);
    return new Promise((resolve) => {
      this.once('drain', () => resolve(true));
      this.#whenLost = () => resolve(false);
    });
  }

  get #awaitsAnswer(): boolean {
    return this.#isBusy && !this.#isLost && !waitsForClient(this.stream, this.connection.stream);
  }

  async #cancel(deadline: AbortSignal): Promise<void> {
    if (!this.isCancellable || this.processID === null || this.secretKey === null) return;
    await requestCancel(this, [this.processID, this.secretKey], deadline);
  }

  #handleLoss(error: Error): void {
    if (this.#isLost) return;
    // Otherwise the server notices when it sends the answer, which may be hours later, and keeps its locks until then.
    if (this.#awaitsAnswer && !(error instanceof DatabaseError))
      void this.#cancel(AbortSignal.timeout(timeouts.cancel));
    this.#isLost = true;
    const { onLost } = this;
    this.#whenLost?.();
    this.#returnToPool(error);
    onLost?.(error);
  }

  #returnToPool(error?: Error | boolean): void {
    const release = this.#release;
    this.#release = undefined;
    this.#idleSince = performance.now();
    this.onLost = undefined;
    if (this.#hasExtendedTimeout) this.connection.stream.setTimeout(this.#answerTimeout);
    this.#hasExtendedTimeout = false;
    release?.(error ?? this.#refusal);
  }
}
