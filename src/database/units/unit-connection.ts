import { Writable } from 'node:stream';
import { CompiledQuery, type DatabaseConnection, type QueryExecutor, type QueryResult } from 'kysely';
import { whoServes, type TxClient } from '../../postgres/client/tx-client.ts';
import { within } from '../../postgres/client/within.ts';
import { concurrent, ended, transactionControl, transactionEnded } from './refusals.ts';
import type { UnitGate } from './unit-gate.ts';

// Milliseconds that the server may take to answer when the unit ends; then the statement is cancelled, and its connection dropped.
const patienceMs = 1_000;

// Refused before it is sent, so that nothing is stored. What ends the transaction otherwise is known from the server's answer.
const endsTransaction =
  /^\s*(commit|end|abort|prepare\s+transaction|rollback(?!\s+(?:(?:work|transaction)\s+)?to))\b/i;

const streamIsOpen =
  'a stream of this unit of work is open, and no statement can be sent on its connection: read it to its end or leave its loop first, ' +
  'or use another unit of work';

interface Waiting {
  readonly turn: Turn;
  readonly go: () => void;
  readonly refuse: (error: Error) => void;
}

/**
 * The connection of a unit of work and of its inner units. It sends one statement at a time, and none while a stream is open: a
 * statement would wait for the end of the stream, which may wait for the statement.
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

  /** The connection that `executor`, of a transaction, sends on. */
  static of(executor: QueryExecutor): Promise<UnitConnection> {
    return executor.provideConnection(async (connection) => {
      const { rows } = await connection.executeQuery<{ client: TxClient }>(CompiledQuery.raw(whoServes));
      const client = rows[0]?.client;
      if (!client) throw new Error('the ORM was configured with another client');
      return new UnitConnection(client, connection);
    });
  }

  get isIdle(): boolean {
    return !this.#turn && !this.#copy;
  }

  /** Whether a statement has failed in the transaction, so that it takes no others. */
  get hasFailed(): boolean {
    return this.client.getTransactionStatus() === 'E';
  }

  /** @throws ConcurrentUseError while a stream is open. */
  refuseWhileStreaming(): void {
    if (this.#stream) throw concurrent(streamIsOpen);
  }

  /** @throws StatementError when a statement ended the transaction. */
  checkTransaction(): void {
    const { endedBy } = this.client;
    if (endedBy !== undefined) throw transactionEnded(endedBy);
  }

  /** Lends the connection to one consumer at a time, in order. */
  async provide<T>(gate: UnitGate, consumer: (connection: DatabaseConnection) => Promise<T>): Promise<T> {
    this.refuseWhileStreaming();
    const turn = new Turn(gate, this);
    if (this.#turn) await new Promise<void>((go, refuse) => this.#waiting.push({ turn, go, refuse }));
    else this.#turn = turn;
    try {
      return await consumer(turn);
    } finally {
      this.#pass(turn);
    }
  }

  /** Used by `Turn`. */
  async send<R>(turn: Turn, query: CompiledQuery): Promise<QueryResult<R>> {
    this.#check(turn);
    const { sql }: { sql: unknown } = query;
    if (sql instanceof Writable) this.#watchCopy(sql);
    else refuseEnd(query.sql);
    try {
      return await this.#connection.executeQuery<R>(query);
    } finally {
      // Also where a later part of the text failed: what came before it is stored.
      this.checkTransaction();
    }
  }

  /** Used by `Turn`. */
  stream<R>(turn: Turn, query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    this.#check(turn);
    const rows = this.#connection.streamQuery<R>(query, chunkSize)[Symbol.asyncIterator]();
    this.#stream = rows;
    for (const { refuse } of this.#waiting.splice(0)) refuse(concurrent(streamIsOpen));
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
   * Ends what is under way: refuses what waits, closes the stream and the COPY that are open, and waits for the server's answer, or
   * cancels the statement and drops the connection. Returns what it ended, undefined when nothing was under way.
   */
  async interrupt(): Promise<string | undefined> {
    if (this.isIdle) return undefined;
    const what = this.#stream
      ? 'a stream that was not read to its end'
      : this.#copy
        ? 'a COPY'
        : 'a statement of `getKysely()`';
    for (const { refuse } of this.#waiting.splice(0)) refuse(ended('a statement'));
    const [stream, copy] = [this.#stream, this.#copy];
    this.#stream = undefined;
    this.#copy = undefined;
    // It is settled by the end of the client where no answer comes.
    stream?.return?.().catch(() => {});
    copy?.destroy(ended('a COPY'));
    if (!(await within(patienceMs, this.client.idle()))) await this.client.abort(ended('a statement'));
    this.#turn = undefined;
    return what;
  }

  /** Sends nothing any more. */
  close(): void {
    this.#isClosed = true;
    for (const { refuse } of this.#waiting.splice(0)) refuse(ended('a statement'));
  }

  #check(turn: Turn): void {
    turn.gate.check('a statement');
    if (this.#isClosed || this.#turn !== turn) throw ended('a statement');
    this.checkTransaction();
  }

  #watchCopy(copy: Writable): void {
    this.#copy = copy;
    const end = (): void => {
      if (this.#copy === copy) this.#copy = undefined;
    };
    // Which of them is emitted depends on how it ends.
    copy.once('finish', end).once('error', end).once('close', end);
  }

  #pass(turn: Turn): void {
    if (this.#turn !== turn) return;
    this.#stream = undefined;
    const next = this.#waiting.shift();
    this.#turn = next?.turn;
    next?.go();
  }
}

/** @throws StatementError when the statement ends the transaction. */
function refuseEnd(sql: string): void {
  const [, command] = endsTransaction.exec(sql) ?? [];
  if (command !== undefined) throw transactionControl(`\`${command}\``);
}

/** The connection as Kysely holds it while it sends something. */
class Turn implements DatabaseConnection {
  readonly gate: UnitGate;
  readonly #connection: UnitConnection;

  constructor(gate: UnitGate, connection: UnitConnection) {
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
