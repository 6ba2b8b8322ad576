import type { ConnectionProvider, DatabaseConnection } from 'kysely';
import { UnfinishedWorkError } from '../../errors.ts';
import { isPoolTimeout } from '../../postgres/errors/connection-failures.ts';
import { toDataError } from '../../postgres/errors/translate-error.ts';
import { concurrentUseError, endedError, innerUnitIsRunning } from './usage-errors.ts';
import { Scopes } from './scopes.ts';
import type { UnitConnection } from './unit-connection.ts';

/** Rows that are read one by one: of the ORM, or of a repository. */
export interface RowsToRead extends AsyncIterableIterator<unknown> {
  return(value: undefined): Promise<IteratorResult<unknown>>;
}

interface Call {
  readonly name: string;
  promise?: Promise<unknown>;
}

const scopes = new Scopes<UnitGate>();

/** Returns the name of the call of a unit of work that the current code is part of; undefined when it is part of none. */
export function currentCall(): string | undefined {
  return scopes.callName;
}

/**
 * The gate that every use of a unit of work passes: calls of repositories and of the entity manager by name, and all statements (of the
 * ORM, Kysely, streams, COPY, forks) as Kysely's connection provider. A unit is open; then closing, when only its own end passes; then
 * ended. An inner unit has its own gate, and the outer one is suspended while it runs.
 */
export class UnitGate implements ConnectionProvider {
  /** Undefined for a unit of work that reads outside a transaction. */
  readonly connection: UnitConnection | undefined;
  readonly parent: UnitGate | undefined;
  /** The gate of the outermost unit. */
  readonly root: UnitGate;
  #state: 'open' | 'closing' | 'ended' = 'open';
  readonly #calls = new Set<Call>();
  /** Those that are read outside a transaction, each on a connection of the pool. */
  readonly #streams = new Set<RowsToRead>();
  /** At the root: settles when the latest call has ended. */
  #lastCall: Promise<void> | undefined;
  #inner: UnitGate | undefined;
  /** Set from the request for an inner unit to its end. */
  #innerRun: Promise<unknown> | undefined;

  constructor(connection: UnitConnection | undefined, parent?: UnitGate) {
    this.connection = connection;
    this.parent = parent;
    this.root = parent?.root ?? this;
  }

  /** Whether the current code runs for this unit, or for a unit within it. */
  get isCurrent(): boolean {
    return scopes.isInside(this);
  }

  /** The unit, of those with the same root, whose call, beginning or end the current code is part of; undefined when it is part of none. */
  get runningPart(): UnitGate | undefined {
    return scopes.runningPart(this.root);
  }

  /** Runs `work`, and all that it starts, as the work of this unit, or as its end. */
  runAs<T>(as: 'work' | 'end', work: () => T): T {
    // What the end of a unit sends is the rest of its changes.
    return scopes.run(as, this, work, as === 'end' ? 'em.flush' : undefined);
  }

  /**
   * Checks that the current code may use the unit. `what` names the use.
   *
   * @throws UnitOfWorkEndedError unless the unit is open, or the current code ends it; ConcurrentUseError while an inner unit runs and the
   * current code is not inside it.
   */
  check(what: string): void {
    if (this.#state !== 'open' && !(this.#state === 'closing' && scopes.isEnding(this)))
      throw endedError(what);
    if (this.#inner && !this.#inner.isCurrent) {
      throw concurrentUseError(
        `${what}: an inner \`transact\` of this unit of work is running; await it first, or use the unit of work that it passes to its \`work\``,
      );
    }
  }

  /**
   * Runs a call and records it under `name` until it has ended. Calls run one after another, because they share a connection and must not
   * see the intermediate state of another call. Outside a transaction, they run concurrently. A call within a call is part of it. Errors
   * are translated.
   */
  call<T>(name: string, start: () => Promise<T>): Promise<T> {
    const part = this.runningPart;
    if (part) return this.#callPart(part, name, start);
    // A call on the outer unit by code of an inner one belongs to the inner one.
    if (this.#inner?.isCurrent) return this.#inner.call(name, start);
    const call: Call = { name };
    const promise = this.#run(call, start);
    // The caller has this promise: when it does not await it, the end of the unit reports it.
    call.promise = promise;
    return promise;
  }

  async #callPart<T>(part: UnitGate, name: string, start: () => Promise<T>): Promise<T> {
    part.check(name);
    this.check(name);
    return start();
  }

  async #run<T>(call: Call, start: () => Promise<T>): Promise<T> {
    this.check(call.name);
    this.#calls.add(call);
    try {
      return await (this.connection ? this.#inTurn(call, start) : scopes.run('call', this, start, call.name));
    } catch (error) {
      // `Database` knows the pool's settings, for the message.
      throw isPoolTimeout(error) ? error : toDataError(error);
    } finally {
      this.#calls.delete(call);
    }
  }

  async #inTurn<T>(call: Call, start: () => Promise<T>): Promise<T> {
    const { root } = this;
    const before = root.#lastCall;
    const { promise, resolve } = Promise.withResolvers<void>();
    root.#lastCall = promise;
    try {
      if (before) {
        await before;
        this.check(call.name);
      }
      this.connection?.refuseWhileStreaming();
      return await scopes.run('call', this, start, call.name);
    } finally {
      if (root.#lastCall === promise) root.#lastCall = undefined;
      resolve();
    }
  }

  async provideConnection<T>(consumer: (connection: DatabaseConnection) => Promise<T>): Promise<T> {
    const part = this.runningPart;
    if (part && part !== this) part.check('a statement');
    this.check('a statement');
    if (!this.connection) throw endedError('a statement');
    // Between two calls: a stream that opens within a call would block the remaining statements of the call.
    if (!part) {
      while (this.root.#lastCall) {
        await this.root.#lastCall;
        this.check('a statement');
      }
    }
    return this.connection.provide(this, consumer);
  }

  /**
   * Runs an inner unit: waits for the running calls, and refuses all others while `run` runs.
   *
   * @throws ConcurrentUseError when another inner unit has not ended.
   */
  runInner<T>(run: (inner: UnitGate) => Promise<T>): Promise<T> {
    if (this.#innerRun) return Promise.reject(concurrentUseError(innerUnitIsRunning));
    const running = this.#startInner(run).finally(() => {
      this.#inner?.end();
      this.#inner = undefined;
      this.#innerRun = undefined;
    });
    this.#innerRun = running;
    return running;
  }

  async #startInner<T>(run: (inner: UnitGate) => Promise<T>): Promise<T> {
    this.check('transact');
    // Not for the call that this is part of.
    while (this.#calls.size > 0 && !this.runningPart)
      await Promise.allSettled(Array.from(this.#calls, async ({ promise }) => promise));
    this.check('transact');
    // Otherwise the savepoint would be refused later, after the stream's reader was.
    this.connection?.refuseWhileStreaming();
    const inner = new UnitGate(this.connection, this);
    this.#inner = inner;
    return inner.runAs('end', () => run(inner));
  }

  /**
   * Closes the unit: refuses all statements that are not sent yet, and ends those that are running. Returns the names of the calls that
   * were running; undefined, at once, when there were none.
   */
  close(): Promise<string[]> | undefined {
    if (this.#state === 'open') this.#state = 'closing';
    if (this.#calls.size === 0 && !this.#innerRun && (this.connection?.isIdle ?? true)) return undefined;
    return this.#interrupt();
  }

  /** @throws UnfinishedWorkError when calls of the unit were running. */
  async closeOrThrow(): Promise<void> {
    const running = await this.close();
    if (running && running.length > 0) throw new UnfinishedWorkError(running);
  }

  /** Ends the stream at the end of the unit, if it is still open. In a transaction, its connection does. */
  endWithUnit(stream: RowsToRead): void {
    if (!this.connection) this.#streams.add(stream);
  }

  /** Refuses every further use, the end of the unit included. */
  end(): void {
    this.#state = 'ended';
    for (const stream of this.#streams) stream.return(undefined).catch(() => {});
    this.#handleRejections();
    this.#inner?.end();
    if (!this.parent) this.connection?.close();
  }

  async #interrupt(): Promise<string[]> {
    const running = new Set(Array.from(this.#calls, ({ name }) => name));
    if (this.#innerRun) running.add('transact');
    this.#handleRejections();
    this.#inner?.end();
    const interrupted = await this.connection?.interrupt();
    // A statement belongs to a call, where there is one.
    if (interrupted !== undefined && (running.size === 0 || !interrupted.startsWith('a statement')))
      running.add(interrupted);
    return [...running];
  }

  // The unit reports these errors. Calls that nothing awaits would end the process by an unhandled rejection.
  #handleRejections(): void {
    this.#innerRun?.catch(() => {});
    for (const { promise } of this.#calls) promise?.catch(() => {});
  }
}
