import type { Socket } from 'node:net';
import { isNativeError } from 'node:util/types';
import { Client, DatabaseError, types, type ClientConfig, type Connection } from 'pg';
import { CommitUnknownError, ConnectionLostError, StatementError } from '../../errors.ts';
import { parseDocument } from '../../json/stored-digits.ts';
import { requestCancel } from '../patches/cancel-request.ts';
import type { MetConnecting } from '../errors/connection-failures.ts';
import { useOptionalTls } from '../patches/optional-tls.ts';
import { proveRawPasswords } from '../patches/raw-passwords.ts';
import { takesRows, waitsForUs } from './streamed-statements.ts';
import { TransactionEnd } from './transaction-end.ts';
import { endOnUnreadable } from '../patches/unreadable-answers.ts';
import { within } from './within.ts';

type Query = (...given: unknown[]) => unknown;

type Connected = ((error: Error) => void) & ((error: null, client: Client) => void);

/** What a pool gives each client at a checkout, to be called with an error when the client is not to be used again. */
export type Release = (error?: Error | boolean) => void;

export interface TxClientConfig extends ClientConfig {
  /** Milliseconds that the server may be silent while it owes an answer, before the connection is given up. 0: for ever. */
  readonly answerTimeout?: number;
  /** Milliseconds for a new connection, where `connectionTimeoutMillis` is how long the pool's callers wait for any. */
  readonly connectTimeout?: number | undefined;
}

/** Sent as a statement of a transaction, it goes nowhere: the client that serves the transaction answers with itself. */
export const whoServes = '-- who serves this transaction?';

const copyIsUnderWay =
  'rows are being copied on this connection, and may not come from the same unit of work: read them in another unit of work, or before';

// Milliseconds that a connection gets to end in good order. The server takes back by itself what it did for one that ended otherwise.
const patience = { cancel: 1_000, end: 1_000, rollback: 5_000 };

/**
 * The driver's client, made for transactions. Emits `silence`, with the error, when it has given up a server that did not answer.
 *
 * - The pool has its slot back as soon as the connection is lost, whoever still holds the client. The ORM's query builder gives one
 *   back only when `commit` or `rollback` succeeded, and never when `begin` failed: each server process that dies in a transaction
 *   would take a slot of the pool along, for ever.
 * - Nobody waits for the answer to `begin`: the first statement waits for it, and what goes before it is done meanwhile. No
 *   statement is sent when `begin` failed; all up to the `rollback` fail as it did.
 * - A `commit` that was answered by a rollback fails. One that was sent, and neither carried out nor refused with the severity ERROR,
 *   fails with `CommitUnknownError`, and the connection is dropped.
 * - A server that owes an answer and is silent for too long is given up.
 */
export class TxClient extends Client {
  // What the driver's types don't tell of.
  declare readonly connection: Connection & { readonly stream: Socket };
  declare readonly processID: number | null;
  declare readonly secretKey: number | null;
  /** Called when the connection is lost while somebody holds the client. */
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
  #bears = false;
  #stream: object | undefined;
  #whenLost: (() => void) | undefined;
  readonly #answerTimeout: number;
  readonly #transactionEnd: TransactionEnd;

  constructor(config?: string | TxClientConfig) {
    super(ownTimeout(config));
    useOptionalTls(this, config);
    endOnUnreadable(this.connection);
    this.#transactionEnd = new TransactionEnd(this.connection);
    proveRawPasswords(this);
    this.setTypeParser(types.builtins.JSONB, parseDocument);
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
        if (this.#isOwedAnAnswer) this.#fallSilent();
      });
    });
    // oxlint-disable-next-line typescript/unbound-method -- `apply` calls it on this client
    this.query = new Proxy(this.query, {
      apply: (query, _client, given: unknown[]): unknown => {
        const send: Query = (...all) => {
          this.#isBusy = true;
          return Reflect.apply(query, this, all);
        };
        const [text] = given;
        if (text === 'commit' || text === 'rollback') this.#transactionEnd.unwatch();
        else this.#transactionEnd.send(typeof text === 'string' ? text : '');
        if (text === 'rollback') return this.#rollback(send, given);
        if (text === whoServes) return Promise.resolve({ rows: [{ client: this }] });
        if (typeof text !== 'string' || typeof given.at(-1) === 'function') {
          if (typeof text === 'object' && text !== null) this.#stream = text;
          return send(...given);
        }
        if (this.#refusal) return Promise.reject(this.#refusal);
        if (takesRows(this.#stream)) return Promise.reject(new StatementError(copyIsUnderWay, {}));
        if (/^(?:begin|start transaction)\b/.test(text)) return this.#begin(send, given);
        if (text === 'commit') return this.#commit(send, given);
        return this.#begun ? this.#onceBegun(this.#begun, send, given) : answered(send, given);
      },
    });
  }

  /** Gives the pool its slot back, once; the pool sets it at each checkout. */
  get release(): Release {
    return (error) => this.#giveBack(error);
  }

  set release(release: Release) {
    this.#release = release;
  }

  /** Has it wait for answers as long as a statement may take, until it is given back: milliseconds, 0 for ever. */
  bearWith(statementTimeout: number): void {
    this.#bears = true;
    this.connection.stream.setTimeout(silenceAllowed(this.#answerTimeout, statementTimeout));
  }

  /** Resolves when no statement is under way. */
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

  /** The command by which a statement ended the transaction that it ran in; undefined when none did. */
  get endedBy(): string | undefined {
    return this.#transactionEnd.command;
  }

  /** Milliseconds for which nobody has held it. */
  get idleFor(): number {
    return this.isIdle ? performance.now() - this.#idleSince : 0;
  }

  /** Whether it is connected and nobody holds it. */
  get isIdle(): boolean {
    return this.#isConnected && this.#release === undefined;
  }

  /**
   * Refuses whatever is still to be sent, has the server cancel the statement that runs, and gives the connection up: nobody else gets
   * it, so that neither a cancel which is late nor whoever still holds the client can do anything to the next.
   */
  async abort(reason: unknown): Promise<void> {
    this.#refusal = new ConnectionLostError('the unit of work was interrupted, and its connection closed', {
      cause: reason,
    });
    if (this.#isOwedAnAnswer) {
      const answer = new Promise<void>((resolve) => this.once('drain', resolve).once('end', resolve));
      const enough = AbortSignal.timeout(patience.cancel);
      // One that overtakes the statement does nothing.
      do await this.#cancel(enough);
      while (!(await within(patience.cancel / 10, answer)) && !enough.aborted);
    }
    this.drop(this.#refusal);
  }

  /** Ends the connection here and now; a statement that waits for its answer fails with `error`. */
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
      // The driver leaves it open where it refuses the login itself: until the server's authentication_timeout, a minute.
      this.connection.stream.destroy();
      const met: MetConnecting = Object.assign(error, { whileConnecting: true as const });
      callback(met);
    });
  }

  /** Ends it in good order if the other side answers in time. */
  override end(): Promise<void>;
  override end(callback: (error: Error) => void): void;
  override end(callback?: (error: Error) => void): Promise<void> | void {
    const { stream } = this.connection;
    const overdue = setTimeout(() => stream.destroy(), patience.end).unref();
    stream.once('close', () => clearTimeout(overdue));
    return callback ? super.end(callback) : super.end();
  }

  get #isOwedAnAnswer(): boolean {
    return this.#isBusy && !this.#isLost && !waitsForUs(this.#stream, this.connection.stream);
  }

  #fallSilent(): void {
    // Told as the operating system does it.
    const told = { code: 'ETIMEDOUT', syscall: 'read' };
    const error = Object.assign(new Error('no answer from the server in time'), told);
    this.drop(error);
    this.emit('silence', error);
  }

  // A commit is left alone: one that waits for a synchronous standby would be carried out without it.
  async #cancel(enough: AbortSignal): Promise<void> {
    if (this.#isCommitting || this.processID === null || this.secretKey === null) return;
    await requestCancel(this, [this.processID, this.secretKey], enough);
  }

  #lose(error: Error): void {
    if (this.#isLost) return;
    // The server finds out that nobody listens when it has the answer, which may be in hours, and keeps its locks until then.
    if (this.#isOwedAnAnswer && !(error instanceof DatabaseError))
      void this.#cancel(AbortSignal.timeout(patience.cancel));
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
    if (this.#bears) this.connection.stream.setTimeout(this.#answerTimeout);
    this.#bears = false;
    release?.(error ?? this.#refusal);
  }

  #begin(send: Query, given: unknown[]): Promise<object> {
    this.#transactionEnd.watch();
    const begun = answered(send, given);
    this.#readOnly = String(given[0]).includes('read only');
    this.#begun = begun;
    begun.then(
      () => (this.#begun = undefined),
      // Told by the statements that wait for it.
      () => {},
    );
    return Promise.resolve({ command: 'BEGIN', rowCount: null, rows: [] });
  }

  async #onceBegun(begun: Promise<unknown>, send: Query, given: unknown[]): Promise<unknown> {
    await begun;
    if (this.#refusal) throw this.#refusal;
    return answered(send, given);
  }

  async #commit(send: Query, given: unknown[]): Promise<unknown> {
    await this.#begun;
    if (this.#refusal) throw this.#refusal;
    // What is lost by now never gets the commit.
    const isSent = !this.#isLost;
    this.#isCommitting = true;
    const result = await answered(send, given)
      .catch(async (error: Error) => {
        // Before the commit was sent, and where nothing was written, the outcome is known.
        if (!isSent || this.#readOnly || (await this.#isRefusal(error))) throw error;
        const unknown = new CommitUnknownError({ cause: error });
        this.drop(unknown);
        throw unknown;
      })
      .finally(() => (this.#isCommitting = false));
    if (typeof result === 'object' && result && 'command' in result && result.command === 'ROLLBACK') {
      throw new StatementError(
        'the transaction had failed before its commit, and was taken back (25P02)',
        {},
      );
    }
    return result;
  }

  /**
   * Whether the server refused the commit, so that it certainly was not carried out: by an error of the severity ERROR. Any other answer,
   * and any other end of the connection, may have come after the commit was carried out.
   */
  async #isRefusal(error: Error): Promise<boolean> {
    if (!(error instanceof DatabaseError)) return false;
    // PgBouncer's own code for what it met, with this severity in its older versions. A server's error names its routine.
    if (error.code === '08P01' && error.routine === undefined) return false;
    if (error.severity === 'ERROR') return true;
    if (error.severity === 'FATAL' || error.severity === 'PANIC') return false;
    // The driver keeps the severity in the language of `lc_messages` only. After an ERROR, in any language, the server goes on.
    return this.#goesOn();
  }

  /** Whether the server takes another statement; not when the connection ends instead, by the deadline for answers at the latest. */
  #goesOn(): Promise<boolean> {
    if (this.#isLost || !this.#isBusy) return Promise.resolve(!this.#isLost);
    return new Promise((resolve) => {
      this.once('drain', () => resolve(true));
      this.#whenLost = () => resolve(false);
    });
  }

  async #rollback(send: Query, given: unknown[]): Promise<unknown> {
    const overdue = setTimeout(() => this.#fallSilent(), patience.rollback);
    try {
      await this.#begun;
      return await answered(send, given);
    } catch (error) {
      this.drop(isNativeError(error) ? error : new Error('Connection terminated'));
      return { command: 'ROLLBACK', rowCount: 0, rows: [] };
    } finally {
      clearTimeout(overdue);
    }
  }
}

/**
 * How long a server may owe an answer, in milliseconds, 0 for ever: long enough for the server itself to end a statement that takes too
 * long, and to say so.
 */
export function silenceAllowed(answerTimeout: number, statementTimeout: number): number {
  return answerTimeout === 0 || statementTimeout === 0
    ? 0
    : Math.max(answerTimeout, statementTimeout + 5_000);
}

// Inherited rather than copied: the pool hides the password from whoever would print its options, and from spreading.
function ownTimeout(config?: string | TxClientConfig): string | ClientConfig | undefined {
  if (typeof config !== 'object' || config.connectTimeout === undefined) return config;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `create` knows nothing of what is inherited
  return Object.create(config, { connectionTimeoutMillis: { value: config.connectTimeout } }) as ClientConfig;
}

/**
 * What the driver answers, had by a callback where a promise is wanted. Rows that the driver's own promise brings outlive V8's minor
 * collections (pg 8.23, Node 24: see `--trace-gc`), and to move them about takes a quarter of the time in which many are read.
 */
function answered(send: Query, [text, values]: unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    send(text, values, (error: Error | null, result: unknown) => {
      if (error) reject(error);
      else resolve(result);
    });
  });
}
