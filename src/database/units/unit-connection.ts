import { Writable } from 'node:stream';
import { CompiledQuery, type DatabaseConnection, type QueryExecutor, type QueryResult } from 'kysely';
import { identifyClient } from '../../postgres/client/identify-client.ts';
import { statementName } from '../../postgres/client/named-statements.ts';
import type { TxClient } from '../../postgres/client/tx-client.ts';
import { settlesWithin } from '../../postgres/client/settles-within.ts';
import { findTransactionEnd } from '../../postgres/sql/find-transaction-end.ts';
import {
  concurrentUseError,
  endedError,
  transactionControlError,
  transactionEndedError,
} from './usage-errors.ts';

// Milliseconds for the server to answer at the end of the unit, before the statement is cancelled and its connection closed.
const answerTimeoutMs = 1_000;

const streamIsOpenMessage =
  'a stream of this unit of work is open, and no statement can be sent on its connection: read it to its end or leave its loop first, ' +
  'or use another unit of work';

/** Checks a statement before it is sent. */
interface Gate {
  check(what: string): void;
}

interface Waiting {
  readonly turn: Turn;
  readonly go: () => void;
  readonly refuse: (error: Error) => void;
}

/**
 * The connection of a unit of work and of its inner units. It sends one statement at a time, and none while a stream is open: the statement
 * and the stream could wait for each other.
 */
export class UnitConnection {
  readonly client: TxClient;
  readonly #connection: DatabaseConnection;
  #turn: Turn | undefined;
  readonly #waiting: Waiting[] = [];
  #stream: AsyncIterator<QueryResult<unknown>> | undefined;
  #copy: Writable | undefined;
  #isClosed = false;

  private constructor(client: TxClient, connection: DatabaseConnection) {
    this.client = client;
    this.#connection = connection;
  }

  /** Returns the connection of a transaction's `executor`. */
  static of(executor: QueryExecutor): Promise<UnitConnection> {
    return executor.provideConnection(async (connection) => {
      const { rows } = await connection.executeQuery<{ client: TxClient }>(CompiledQuery.raw(identifyClient));
      const client = rows[0]?.client;
      if (!client)
        throw new Error("the ORM's pool has clients of another class; configure the ORM by `ormOptions`");
      return new UnitConnection(client, connection);
    });
  }

  get isIdle(): boolean {
    return !this.#turn && !this.#copy;
  }

  /** Whether a statement has failed in the transaction, so that the server refuses all others. */
  get hasFailed(): boolean {
    return this.client.getTransactionStatus() === 'E';
  }

  /** @throws ConcurrentUseError while a stream is open. */
  refuseWhileStreaming(): void {
    if (this.#stream) throw concurrentUseError(streamIsOpenMessage);
  }

  /** @throws StatementError when a statement ended the transaction. */
  checkTransaction(): void {
    const { transactionEndedBy } = this.client;
    if (transactionEndedBy !== undefined) throw transactionEndedError(transactionEndedBy);
  }

  /** Passes the connection to one consumer at a time, in the order of the calls. */
  async provide<T>(gate: Gate, consumer: (connection: DatabaseConnection) => Promise<T>): Promise<T> {
    this.refuseWhileStreaming();
    const turn = new Turn(gate, this);
    if (this.#turn) await new Promise<void>((go, refuse) => this.#waiting.push({ turn, go, refuse }));
    else this.#turn = turn;
    try {
      return await consumer(turn);
    } finally {
      this.#release(turn);
    }
  }

  /** Sends a statement. Called by `Turn` only. */
  async send<R>(turn: Turn, query: CompiledQuery): Promise<QueryResult<R>> {
    this.#check(turn);
    const { sql }: { sql: unknown } = query;
    if (sql instanceof Writable) this.#watchCopy(sql);
    else this.#refuseTransactionEnd(query.sql);
    try {
      return await this.#connection.executeQuery<R>(query);
    } finally {
      // Also when a later part of the text failed: the part before it is committed.
      this.checkTransaction();
    }
  }

  /** Opens a stream. Called by `Turn` only. */
  stream<R>(turn: Turn, query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    this.#check(turn);
    this.#refuseTransactionEnd(query.sql);
    const rows = this.#connection.streamQuery<R>(query, chunkSize)[Symbol.asyncIterator]();
    this.#stream = rows;
    for (const { refuse } of this.#waiting.splice(0)) refuse(concurrentUseError(streamIsOpenMessage));
    return {
      next: async () => {
        this.#check(turn);
        return rows.next();
      },
      return: async () => (await rows.return?.()) ?? { done: true, value: undefined },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /**
   * Ends running statements: refuses those that wait, closes an open stream or COPY, and waits for the server's answer. When it does not
   * arrive, cancels the statement and closes the connection. Returns what it ended; undefined when nothing was running.
   */
  async interrupt(): Promise<string | undefined> {
    if (this.isIdle) return undefined;
    const what = this.#stream
      ? 'a stream that was not read to its end'
      : this.#copy
        ? 'a COPY'
        : 'a statement of `getKysely()`';
    for (const { refuse } of this.#waiting.splice(0)) refuse(endedError('a statement'));
    const [stream, copy] = [this.#stream, this.#copy];
    this.#stream = undefined;
    this.#copy = undefined;
    // It settles when the client ends, at the latest.
    stream?.return?.().catch(() => {});
    copy?.destroy(endedError('a COPY'));
    if (!(await settlesWithin(answerTimeoutMs, this.client.idle())))
      await this.client.abort(endedError('a statement'));
    this.#turn = undefined;
    return what;
  }

  /** Refuses all further statements. */
  close(): void {
    this.#isClosed = true;
    for (const { refuse } of this.#waiting.splice(0)) refuse(endedError('a statement'));
  }

  #check(turn: Turn): void {
    turn.gate.check('a statement');
    if (this.#isClosed || this.#turn !== turn) throw endedError('a statement');
    this.checkTransaction();
  }

  /**
   * Refuses a text that ends the transaction before it is sent, so that nothing is stored. Those that are marked by `named` do not.
   *
   * @throws StatementError
   */
  #refuseTransactionEnd(sql: string): void {
    if (statementName(sql) !== undefined) return;
    const command = findTransactionEnd(sql, this.client.strings);
    if (command !== null) throw transactionControlError(`\`${command}\``);
  }

  #watchCopy(copy: Writable): void {
    this.#copy = copy;
    const end = (): void => {
      if (this.#copy === copy) this.#copy = undefined;
    };
    // Which of these events is emitted depends on how it ends.
    copy.once('finish', end).once('error', end).once('close', end);
  }

  #release(turn: Turn): void {
    if (this.#turn !== turn) return;
    this.#stream = undefined;
    const next = this.#waiting.shift();
    this.#turn = next?.turn;
    next?.go();
  }
}

/** The connection that Kysely gets for one statement or stream. */
class Turn implements DatabaseConnection {
  readonly gate: Gate;
  readonly #connection: UnitConnection;

  constructor(gate: Gate, connection: UnitConnection) {
    this.gate = gate;
    this.#connection = connection;
  }

  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return this.#connection.send(this, query);
  }

  streamQuery<R>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    return this.#connection.stream(this, query, chunkSize);
  }
}
