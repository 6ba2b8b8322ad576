import { AsyncLocalStorage } from 'node:async_hooks';
import { Writable } from 'node:stream';
import {
  CompiledQuery,
  ControlledTransaction,
  type ConnectionProvider,
  type DatabaseConnection,
  type QueryResult,
} from 'kysely';
import {
  ConcurrentUseError,
  StatementError,
  UnfinishedWorkError,
  UnitOfWorkEndedError,
} from '../../errors.ts';
import { isPoolTimeout } from '../connection-failures.ts';
import { toDataError } from '../translate-error.ts';
import { whoServes, type TxClient } from '../tx-client.ts';
import { within } from '../within.ts';

type State = 'open' | 'closing' | 'ended';

/** In whose name code runs: as the work of an inner unit, as a call of a unit, or as what begins and ends a unit. */
interface Scope {
  readonly gate: UnitGate;
  readonly as: 'work' | 'call' | 'end';
  /** The scope that a call was made from. */
  readonly from?: Scope | undefined;
}

interface Call {
  readonly name: string;
  promise?: Promise<unknown>;
}

interface Waiting {
  readonly go: () => void;
  readonly refuse: (error: Error) => void;
}

const scopes = new AsyncLocalStorage<Scope>();

// Milliseconds that a statement which is under way may take when its unit ends; then it is cancelled and its connection dropped.
const patienceMs = 1_000;

const endsTransaction =
  /^\s*(?:begin|start\s+transaction|commit|end|abort|prepare\s+transaction|rollback(?!\s+(?:(?:work|transaction)\s+)?to))\b/i;

/**
 * The one way to the connection of a unit of work: Kysely's connection provider. All that a unit sends passes `provideConnection`,
 * whether it comes from a repository, the ORM, Kysely, a stream, a COPY or a fork. It is open, then closing, while what ends the unit
 * is sent and nothing else, then ended for ever.
 */
export class UnitGate implements ConnectionProvider {
  readonly parent: UnitGate | undefined;
  readonly #root: UnitGate;
  /** Undefined for a unit of work that reads outside a transaction. */
  readonly transaction: ControlledTransaction<unknown> | undefined;
  #state: State = 'open';
  #inner: UnitGate | undefined;
  #innerAsked = false;
  readonly #calls = new Set<Call>();
  // Of the root alone: all share its connection.
  #connection: DatabaseConnection | undefined;
  #client: TxClient | undefined;
  #sender: UnitGate | undefined;
  #stream: AsyncIterator<QueryResult<unknown>> | undefined;
  #copy: Writable | undefined;
  #turn: Promise<void> | undefined;
  #waiting: (Waiting & { readonly gate: UnitGate })[] = [];

  private constructor(
    parent?: UnitGate,
    origin?: ControlledTransaction<unknown>,
    connection?: DatabaseConnection,
    client?: TxClient,
  ) {
    this.parent = parent;
    this.#root = parent ? parent.#root : this;
    this.#connection = connection;
    this.#client = client;
    if (origin) this.transaction = gated(this, origin);
  }

  /** For a unit of work that reads outside a transaction. */
  static unbound(): UnitGate {
    return new UnitGate();
  }

  /** Puts a gate before the connection of a transaction that was begun. */
  static async before(origin: ControlledTransaction<unknown>): Promise<UnitGate> {
    const [connection, answer] = await origin
      .getExecutor()
      .provideConnection(
        async (taken) =>
          [taken, await taken.executeQuery<{ client: TxClient }>(CompiledQuery.raw(whoServes))] as const,
      );
    const client = answer.rows[0]?.client;
    if (!client) throw new Error('the ORM was configured with another client');
    return new UnitGate(undefined, origin, connection, client);
  }

  get client(): TxClient {
    if (!this.#root.#client) throw new Error('the unit of work has no connection');
    return this.#root.#client;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /**
   * @throws UnitOfWorkEndedError when the unit has ended, or ends; ConcurrentUseError while an inner unit runs and this is not called
   * from inside it.
   */
  check(what: string): void {
    if (this.#state !== 'open' && !(this.#state === 'closing' && this.#endsHere())) throw ended(what);
    if (this.#inner && !isInside(this.#inner))
      throw refused(
        `${what}: an inner \`transact\` of this unit of work runs; await it first, or use the unit of work that it was given`,
      );
  }

  /**
   * Runs a call of the unit, and knows of it, by name, until it has ended. One runs at a time: they share a connection, and none sees
   * the half of another. What a call calls is part of it. What it throws is ours.
   */
  call<T>(name: string, start: () => Promise<T>): Promise<T> {
    const scope = scopes.getStore();
    // Part of a call, or of what ends the unit, when nothing else runs.
    if (scope && scope.as !== 'work' && scope.gate.#root === this.#root) return this.#part(name, start);
    const call: Call = { name };
    // What the caller holds: where nobody does, its failure is told by the end of the unit.
    call.promise = this.#run(call, start);
    return call.promise as Promise<T>;
  }

  async #part<T>(name: string, start: () => Promise<T>): Promise<T> {
    this.check(name);
    return start();
  }

  async #run<T>(call: Call, start: () => Promise<T>): Promise<T> {
    this.check(call.name);
    this.#calls.add(call);
    const root = this.#root;
    try {
      while (root.#turn) await root.#turn;
      this.check(call.name);
      root.#refuseWhileStreaming();
      let done = () => {};
      root.#turn = new Promise((resolve) => (done = resolve));
      try {
        return await scopes.run({ gate: this, as: 'call', from: scopes.getStore() }, start);
      } finally {
        root.#turn = undefined;
        done();
      }
    } catch (error) {
      // Of a full pool, the database itself tells more.
      throw isPoolTimeout(error) ? error : toDataError(error);
    } finally {
      this.#calls.delete(call);
    }
  }

  /** Runs what begins or ends this unit: it passes the gate while that is closing. */
  ending<T>(work: () => T): T {
    return scopes.run({ gate: this, as: 'end' }, work);
  }

  /** Runs the caller's work of an inner unit. */
  inside<T>(work: () => T): T {
    return scopes.run({ gate: this, as: 'work' }, work);
  }

  /** Whether the code that asks runs inside of this unit, which is an inner one. */
  get isAround(): boolean {
    return isInside(this);
  }

  /** Whether the code that asks begins or ends this unit, or one inside of it. */
  get isEnding(): boolean {
    return this.#endsHere();
  }

  /** Begins an inner unit: waits for the calls that run, then refuses all others until `leave`. */
  async enter(): Promise<UnitGate> {
    this.check('transact');
    if (this.#innerAsked) throw refused('another `transact` within this unit of work has not ended yet');
    this.#innerAsked = true;
    try {
      const inner = new UnitGate(this);
      while (this.#calls.size > 0) {
        await Promise.allSettled(Array.from(this.#calls, ({ promise }) => promise));
      }
      this.check('transact');
      this.#inner = inner;
      return inner;
    } catch (error) {
      this.#innerAsked = false;
      throw error;
    }
  }

  /** Gives the inner unit the transaction that its savepoint began. */
  bind(origin: ControlledTransaction<unknown>): ControlledTransaction<unknown> {
    const transaction = gated(this, origin);
    Object.assign(this, { transaction });
    return transaction;
  }

  leave(inner: UnitGate): void {
    inner.#state = 'ended';
    this.#inner = undefined;
    this.#innerAsked = false;
  }

  /** Seals the unit where nothing of it runs still, and tells whether it did. */
  sealIdle(): boolean {
    const root = this.#root;
    if (
      this.#calls.size > 0 ||
      this.#innerAsked ||
      root.#sender ||
      root.#stream ||
      root.#copy ||
      root.#waiting.length > 0
    )
      return false;
    if (this.#state === 'open') this.#state = 'closing';
    return true;
  }

  /**
   * Seals the unit: what is not on the wire is refused, from now on; what is, is waited for, or cancelled with its connection. Streams
   * and COPYs that are open are ended. Gives what ran still, by name.
   */
  async seal(): Promise<string[]> {
    if (this.#state === 'ended') return [];
    this.#state = 'closing';
    const root = this.#root;
    const names = new Set(Array.from(this.#calls, ({ name }) => name));
    if (this.#innerAsked) names.add('transact');
    for (let inner = this.#inner; inner; inner = inner.#inner) {
      inner.#state = 'ended';
      for (const { promise } of inner.#calls) promise?.catch(() => {});
    }
    for (const { promise } of this.#calls) promise?.catch(() => {});
    const isBusy = root.#sender !== undefined || root.#stream !== undefined || root.#copy !== undefined;
    if (!isBusy && root.#waiting.length === 0) return [...names];
    if (root.#stream) names.add('a stream that was not read to its end');
    else if (root.#copy) names.add('a COPY');
    else if (names.size === 0) names.add('a statement of `getKysely()`');
    for (const { refuse } of root.#waiting.splice(0)) refuse(ended('a statement'));
    const stream = root.#stream;
    root.#stream = undefined;
    // Without an answer, the client's end settles it.
    stream?.return?.().catch(() => {});
    const copy = root.#copy;
    root.#copy = undefined;
    copy?.destroy(ended('a COPY'));
    if (root.#client && !(await within(patienceMs, root.#client.idle())))
      await root.#client.abort(ended('a statement'));
    root.#sender = undefined;
    return [...names];
  }

  /** @throws UnfinishedWorkError when calls of the unit ran still. */
  async sealFinished(): Promise<void> {
    const names = await this.seal();
    if (names.length > 0) throw new UnfinishedWorkError(names);
  }

  /** Refuses everything from now on, what ends the unit included. */
  end(): void {
    this.#state = 'ended';
    for (const { promise } of this.#calls) promise?.catch(() => {});
    for (let inner = this.#inner; inner; inner = inner.#inner) {
      inner.#state = 'ended';
      for (const { promise } of inner.#calls) promise?.catch(() => {});
    }
    if (this.parent) return;
    for (const { refuse } of this.#waiting.splice(0)) refuse(ended('a statement'));
    this.#connection = undefined;
    this.#client = undefined;
    this.#stream = undefined;
    this.#copy = undefined;
  }

  // Kysely's side

  async provideConnection<T>(consumer: (connection: DatabaseConnection) => Promise<T>): Promise<T> {
    const root = this.#root;
    this.check('a statement');
    root.#refuseWhileStreaming();
    if (root.#sender) {
      await new Promise<void>((go, refuse) => root.#waiting.push({ go, refuse, gate: this }));
      // Handed over by whoever had it.
    } else root.#sender = this;
    try {
      this.check('a statement');
      return await consumer(new GatedConnection(this, root));
    } finally {
      root.#release(this);
    }
  }

  #release(gate: UnitGate): void {
    if (this.#sender !== gate) return;
    this.#stream = undefined;
    const next = this.#waiting.shift();
    this.#sender = next?.gate;
    next?.go();
  }

  #refuseWhileStreaming(): void {
    if (this.#stream) throw refused(streamIsOpen);
  }

  send<R>(gate: UnitGate, query: CompiledQuery): Promise<QueryResult<R>> {
    gate.check('a statement');
    const { sql }: { sql: unknown } = query;
    if (typeof sql === 'string') {
      if (endsTransaction.test(sql)) throw endsItself();
    } else if (sql instanceof Writable) {
      this.#copy = sql;
      const over = () => {
        if (this.#copy === sql) this.#copy = undefined;
      };
      // Which of them comes depends on how it ends.
      sql.once('finish', over).once('error', over).once('close', over);
    }
    const connection = this.#connection;
    if (!connection) throw ended('a statement');
    return connection.executeQuery<R>(query);
  }

  stream<R>(gate: UnitGate, query: CompiledQuery, chunkSize?: number): AsyncIterableIterator<QueryResult<R>> {
    gate.check('a stream');
    const connection = this.#connection;
    if (!connection) throw ended('a stream');
    const rows = connection.streamQuery<R>(query, chunkSize as number)[Symbol.asyncIterator]();
    this.#stream = rows;
    // They would wait for its end, which may wait for them.
    for (const { refuse } of this.#waiting.splice(0)) refuse(refused(streamIsOpen));
    return {
      next: async () => {
        gate.check('a stream');
        return rows.next();
      },
      return: async () => (await rows.return?.()) ?? { done: true, value: undefined },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  #endsHere(): boolean {
    const scope = scopes.getStore();
    return scope?.as === 'end' && (scope.gate === this || isInside(this));
  }
}

const streamIsOpen =
  'a stream of this unit of work is open: read it to its end, or leave its loop, before the next statement; or use another unit of work';

/** What Kysely holds while it sends something. */
class GatedConnection implements DatabaseConnection {
  readonly #gate: UnitGate;
  readonly #root: UnitGate;

  constructor(gate: UnitGate, root: UnitGate) {
    this.#gate = gate;
    this.#root = root;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return this.#root.send(this.#gate, query);
  }

  streamQuery<R>(query: CompiledQuery, chunkSize?: number): AsyncIterableIterator<QueryResult<R>> {
    return this.#root.stream(this.#gate, query, chunkSize);
  }
}

function isInside(gate: UnitGate): boolean {
  for (let scope = scopes.getStore(); scope; scope = scope.from)
    for (let at: UnitGate | undefined = scope.gate; at; at = at.parent) if (at === gate) return true;
  return false;
}

function gated(gate: UnitGate, origin: ControlledTransaction<unknown>): ControlledTransaction<unknown> {
  const send = (sql: string) =>
    gate.provideConnection((connection) => connection.executeQuery(CompiledQuery.raw(sql)));
  const refuse = async () => {
    throw endsItself();
  };
  const driver = {
    commitTransaction: refuse,
    rollbackTransaction: refuse,
    savepoint: async (_: unknown, name: string) => void (await send(`savepoint "${name}"`)),
    rollbackToSavepoint: async (_: unknown, name: string) => void (await send(`rollback to "${name}"`)),
    releaseSavepoint: async (_: unknown, name: string) => void (await send(`release "${name}"`)),
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of its driver, a transaction uses these alone
  return new ControlledTransaction<unknown>({
    config: {},
    dialect: {},
    driver,
    executor: origin.getExecutor().withConnectionProvider(gate),
    connection: { connection: {}, release: () => {} },
  } as unknown as ConstructorParameters<typeof ControlledTransaction<unknown>>[0]);
}

// The ORM makes an error of its own of each that it meets, and keeps the cause alone: the cause is of the same class.
function ended(what: string): UnitOfWorkEndedError {
  return Object.assign(new UnitOfWorkEndedError(what), { cause: new UnitOfWorkEndedError(what) });
}

function refused(what: string): ConcurrentUseError {
  return Object.assign(new ConcurrentUseError(what), { cause: new ConcurrentUseError(what) });
}

function endsItself(): StatementError {
  const what = 'a unit of work ends its transaction itself';
  return new StatementError(what, {}, { cause: new StatementError(what, {}) });
}
