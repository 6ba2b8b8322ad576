import { setTimeout } from 'node:timers/promises';
import { IsolationLevel, type MikroORM } from '@mikro-orm/postgresql';
import { ContentionError, PoolTimeoutError } from '../errors.ts';
import { isPoolTimeout } from './connection-failures.ts';
import { Connections } from './connections.ts';
import { RunningUnits } from './running-units.ts';
import { inTransaction } from './transaction.ts';
import { sqlStateOf, toDataError } from './translate-error.ts';
import { UnitOfWork, type ReadingUnitOfWork } from './unit-of-work.ts';
import { within } from './within.ts';

const isolationLevels = {
  'read committed': IsolationLevel.READ_COMMITTED,
  'repeatable read': IsolationLevel.REPEATABLE_READ,
  serializable: IsolationLevel.SERIALIZABLE,
} as const;

export interface TransactOptions {
  /** What the transaction sees of others. Default `read committed`. */
  readonly isolation?: keyof typeof isolationLevels;
  /**
   * How often the whole of `work` is run again, in a fresh unit of work, after a serialization failure or a deadlock (40001, 40P01).
   * Default 0. What `work` does besides the database must bear being done again.
   */
  readonly retries?: number;
  /**
   * Ends the unit of work when it is aborted: it rejects with the signal's reason, the statement that runs is cancelled on the server,
   * nothing is written. Once the commit is on its way, what became of it counts.
   */
  readonly signal?: AbortSignal | undefined;
}

export interface ReadOptions {
  /** Whether all reads see the database as of one moment, in a read-only transaction. Default false: no transaction. */
  readonly snapshot?: boolean;
  /**
   * Ends the unit of work when it is aborted: it rejects with the signal's reason, and the statement that runs is cancelled on the
   * server. With it, all reads share a connection, in a read-only transaction.
   */
  readonly signal?: AbortSignal | undefined;
}

export interface CloseOptions {
  /** Milliseconds that running units of work have to end. Default: `closeTimeout` of `openDatabase`. */
  readonly timeout?: number;
}

// What the end of connections and of what runs on them may take, in milliseconds, once nobody waits for more.
const patienceMs = 1_000;

/** A PostgreSQL database, its pool of connections, and the only way to write to it. Made by `openDatabase`. */
export class Database {
  /** The ORM behind it, for tools. Services use `transact` and `read`. */
  readonly orm: MikroORM;
  readonly #units = new RunningUnits();
  readonly #closeTimeout: number;
  #closing: Promise<void> | undefined;

  constructor(orm: MikroORM, { closeTimeout = 10_000 }: { closeTimeout?: number | undefined } = {}) {
    this.orm = orm;
    this.#closeTimeout = closeTimeout;
  }

  /**
   * Runs `work` as one unit in one transaction: what it changes is written when it returns, and nothing is when it throws.
   *
   * @throws DataError when PostgreSQL refuses the change; ConnectionError or PoolTimeoutError when there is no connection;
   * ConnectionLostError, or CommitUnknownError, when it is lost; DatabaseClosedError. Whatever `work` throws comes through unchanged.
   */
  transact<T>(
    work: (uow: UnitOfWork) => Promise<T>,
    { isolation, retries = 0, signal }: TransactOptions = {},
  ): Promise<T> {
    const options = isolation === undefined ? {} : { isolationLevel: isolationLevels[isolation] };
    return this.#units.run(signal, async (unit) => {
      for (let attempt = 0; ; attempt++) {
        try {
          await Connections.of(this.orm).settle();
          return await inTransaction(this.orm.em.fork(), work, options, unit);
        } catch (thrown) {
          const error = this.#told(thrown);
          if (attempt >= retries || !mayRetry(error)) throw error;
        }
        // Jittered, so that those who met once do not meet again.
        await unit.unlessInterrupted(setTimeout(Math.random() * 10 * 2 ** Math.min(attempt, 6)));
      }
    });
  }

  /**
   * Runs `work` on a unit of work of its own, for reading only.
   *
   * @throws ReadOnlyError when `work` changes a row and flushes, or calls what writes or locks; ConnectionError, PoolTimeoutError,
   * ConnectionLostError and DatabaseClosedError as `transact` does.
   */
  read<T>(
    work: (uow: ReadingUnitOfWork) => Promise<T>,
    { snapshot = false, signal }: ReadOptions = {},
  ): Promise<T> {
    return this.#units.run(signal, async (unit) => {
      const em = this.orm.em.fork();
      try {
        await Connections.of(this.orm).settle();
        if (!snapshot && !signal) return await unit.unlessInterrupted(work(new UnitOfWork(em)));
        const isolation = snapshot ? { isolationLevel: IsolationLevel.REPEATABLE_READ } : {};
        return await inTransaction(em, work, { ...isolation, readOnly: true }, unit);
      } catch (error) {
        throw this.#told(error);
      }
    });
  }

  /**
   * Refuses new units of work, waits for those that run, and closes the pool. What runs for longer than `timeout` is cancelled and
   * rejects with `DatabaseClosedError`; all has ended a second or two later at most, in whatever state the server is. To be called as
   * often as one likes.
   */
  close({ timeout = this.#closeTimeout }: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(timeout);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(timeout: number): Promise<void> {
    const deadline = performance.now() + timeout;
    await this.#units.close(timeout);
    const left = Math.max(deadline - performance.now(), patienceMs);
    // The pool waits for whoever took a connection past us, until that is dropped.
    await Promise.all([within(left + patienceMs, this.orm.close(true)), Connections.of(this.orm).end(left)]);
  }

  #told(error: unknown): unknown {
    if (!isPoolTimeout(error)) return toDataError(error);
    const { max } = this.orm.config.get('pool');
    return new PoolTimeoutError(
      `no connection was free within ${Connections.of(this.orm).acquireTimeout} ms: all ${max} of the pool are in use; ` +
        'end units of work sooner, or raise pool.max or pool.acquireTimeout',
      { cause: error },
    );
  }
}

// An optimistic lock that was lost is contention too, but running the same change again is for the caller to decide.
function mayRetry(error: unknown): boolean {
  return error instanceof ContentionError && ['40001', '40P01'].includes(sqlStateOf(error));
}
