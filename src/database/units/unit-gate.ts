import type { ConnectionProvider, DatabaseConnection } from 'kysely';
import { UnfinishedWorkError } from '../../errors.ts';
import { isPoolTimeout } from '../../postgres/errors/connection-failures.ts';
import { toDataError } from '../../postgres/errors/translate-error.ts';
import { concurrent, ended, innerRuns } from './refusals.ts';
import { isEnding, isInside, runAs, runningPart } from './scope.ts';
import type { UnitConnection } from './unit-connection.ts';

interface Call {
  readonly name: string;
  promise?: Promise<unknown>;
}

/**
 * Every use of a unit of work passes here: calls of repositories and of the entity manager by name, and all that is sent (by the ORM,
 * Kysely, streams, COPY, forks) as Kysely's provider of the connection. A unit is open; then closing, when only its own end passes; then
 * ended for ever. An inner unit has a gate of its own, and the outer one is suspended while it runs.
 */
export class UnitGate implements ConnectionProvider {
  /** Undefined for a unit of work that reads outside a transaction. */
  readonly connection: UnitConnection | undefined;
  readonly parent: UnitGate | undefined;
  /** That of the outermost unit. */
  readonly root: UnitGate;
  #state: 'open' | 'closing' | 'ended' = 'open';
  readonly #calls = new Set<Call>();
  /** Of the root: settles when the call that came last has ended. */
  #lastCall: Promise<void> | undefined;
  #inner: UnitGate | undefined;
  /** From when an inner unit is asked for until it has ended. */
  #innerRun: Promise<unknown> | undefined;

  constructor(connection: UnitConnection | undefined, parent?: UnitGate) {
    this.connection = connection;
    this.parent = parent;
    this.root = parent?.root ?? this;
  }

  /**
   * @throws UnitOfWorkEndedError unless the unit is open, or the current code ends it; ConcurrentUseError while an inner unit runs and the
   * current code is not inside it.
   */
  check(what: string): void {
    if (this.#state !== 'open' && !(this.#state === 'closing' && isEnding(this))) throw ended(what);
    if (this.#inner && !isInside(this.#inner)) {
      throw concurrent(
        `${what}: an inner \`transact\` of this unit of work is running; await it first, or use the unit of work that it passes to its \`work\``,
      );
    }
  }

  /**
   * Runs a call, which is known by `name` until it has ended. One runs at a time, since they share a connection and none may see another
   * half done; outside a transaction, all at once. What the call calls is part of it. Errors are translated.
   */
  call<T>(name: string, start: () => Promise<T>): Promise<T> {
    const part = runningPart(this.root);
    if (part) return this.#callPart(part, name, start);
    // What code of an inner unit does by the outer one is part of the inner one.
    if (this.#inner && isInside(this.#inner)) return this.#inner.call(name, start);
    const call: Call = { name };
    const promise = this.#run(call, start);
    // What the caller has: if it does not await it, the end of the unit reports it.
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
      return await (this.connection ? this.#inTurn(call, start) : runAs('call', this, start));
    } catch (error) {
      // `Database` knows more of a full pool.
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
      return await runAs('call', this, start);
    } finally {
      if (root.#lastCall === promise) root.#lastCall = undefined;
      resolve();
    }
  }

  async provideConnection<T>(consumer: (connection: DatabaseConnection) => Promise<T>): Promise<T> {
    const part = runningPart(this.root);
    if (part && part !== this) part.check('a statement');
    this.check('a statement');
    if (!this.connection) throw ended('a statement');
    // Between two calls, not amid one: a stream would have the rest of the call refused, after a part of it was sent.
    if (!part) {
      while (this.root.#lastCall) {
        await this.root.#lastCall;
        this.check('a statement');
      }
    }
    return this.connection.provide(this, consumer);
  }

  /**
   * Runs an inner unit: waits for the calls that run, and refuses all others while `run` runs.
   *
   * @throws ConcurrentUseError when another one has not ended.
   */
  within<T>(run: (inner: UnitGate) => Promise<T>): Promise<T> {
    if (this.#innerRun) return Promise.reject(concurrent(innerRuns));
    const running = this.#runInner(run).finally(() => {
      this.#inner?.end();
      this.#inner = undefined;
      this.#innerRun = undefined;
    });
    this.#innerRun = running;
    return running;
  }

  async #runInner<T>(run: (inner: UnitGate) => Promise<T>): Promise<T> {
    this.check('transact');
    // Not for the call that this is part of.
    while (this.#calls.size > 0 && !runningPart(this.root))
      await Promise.allSettled(Array.from(this.#calls, async ({ promise }) => promise));
    this.check('transact');
    // It would be refused at its savepoint, and the reader of the stream before that.
    this.connection?.refuseWhileStreaming();
    const inner = new UnitGate(this.connection, this);
    this.#inner = inner;
    return runAs('end', inner, () => run(inner));
  }

  /**
   * Closes the unit: what is not sent yet is refused from now on, and what is on its way is ended. Returns what was running; undefined,
   * at once, when nothing was.
   */
  close(): Promise<string[]> | undefined {
    if (this.#state === 'open') this.#state = 'closing';
    if (this.#calls.size === 0 && !this.#innerRun && (this.connection?.isIdle ?? true)) return undefined;
    return this.#interrupt();
  }

  /** @throws UnfinishedWorkError when something of the unit was running. */
  async closeFinished(): Promise<void> {
    const running = await this.close();
    if (running && running.length > 0) throw new UnfinishedWorkError(running);
  }

  /** Refuses everything from now on, the end of the unit included. */
  end(): void {
    this.#state = 'ended';
    this.#disownCalls();
    this.#inner?.end();
    if (!this.parent) this.connection?.close();
  }

  async #interrupt(): Promise<string[]> {
    const running = new Set(Array.from(this.#calls, ({ name }) => name));
    if (this.#innerRun) running.add('transact');
    this.#disownCalls();
    this.#inner?.end();
    const interrupted = await this.connection?.interrupt();
    // A statement is that of a call, where there is one.
    if (interrupted !== undefined && (running.size === 0 || !interrupted.startsWith('a statement')))
      running.add(interrupted);
    return [...running];
  }

  // Reported by the unit: without a caller that awaits them, they would end the process as unhandled rejections.
  #disownCalls(): void {
    this.#innerRun?.catch(() => {});
    for (const { promise } of this.#calls) promise?.catch(() => {});
  }
}
