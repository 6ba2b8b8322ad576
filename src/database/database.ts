import { setTimeout } from 'node:timers/promises';
import { IsolationLevel, type MikroORM } from '@mikro-orm/postgresql';
import { ContentionError, ForbiddenError, PoolTimeoutError, ReadOnlyError } from '../errors.ts';
import { isPoolTimeout } from './connection-failures.ts';
import { Connections } from './connections.ts';
import { localSettings, type TransactionSettings, type TransactionTimeouts } from './local-settings.ts';
import type { ConnectOptions } from './orm-options.ts';
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

interface LocalOptions {
  /**
   * Settings of the server's for this transaction alone (`{ 'app.user': id }`), such as policies of row-level security ask for. They
   * are set before `work` begins, a savepoint's rollback brings them back, and nothing of them is left for others.
   */
  readonly settings?: TransactionSettings | undefined;
  /** How long the server bears with it. Default, for each: that of the database. */
  readonly timeouts?: TransactionTimeouts | undefined;
}

export interface TransactOptions extends LocalOptions {
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

export interface ReadOptions extends LocalOptions {
  /**
   * Whether all reads see the database as of one moment, in a read-only transaction. Default false: no transaction, unless settings,
   * timeouts for statements or locks, or `external` pooling need one; each read then sees what was committed when it began.
   */
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

/** What a database is made of, besides the ORM. */
export interface DatabaseParts extends Pick<ConnectOptions, 'poolMode' | 'timeouts'> {
  /** Milliseconds. Default 10,000. */
  readonly closeTimeout?: number | undefined;
}

/** A PostgreSQL database, its pool of connections, and the only way to write to it. Made by `openDatabase`. */
export class Database {
  /** The ORM behind it, for tools. Services use `transact` and `read`. */
  readonly orm: MikroORM;
  readonly #units = new RunningUnits();
  readonly #closeTimeout: number;
  readonly #readsInTransaction: boolean;
  #closing: Promise<void> | undefined;

  constructor(orm: MikroORM, { poolMode, timeouts = {}, closeTimeout = 10_000 }: DatabaseParts = {}) {
    this.orm = orm;
    this.#closeTimeout = closeTimeout;
    // The settings of a transaction need one, and so does a single connection for all reads of a unit of work.
    this.#readsInTransaction = poolMode === 'external' || (timeouts.statement ?? timeouts.lock) !== undefined;
  }

  /**
   * Runs `work` as one unit in one transaction: what it changes is written when it returns, and nothing is when it throws.
   *
   * @throws SettingsError on settings or timeouts that are none; DataError when PostgreSQL refuses the change; ConnectionError or PoolTimeoutError when there is no connection;
   * ConnectionLostError, or CommitUnknownError, when it is lost; DatabaseClosedError. Whatever `work` throws comes through unchanged.
   */
  async transact<T>(
    work: (uow: UnitOfWork) => Promise<T>,
    { isolation, retries = 0, settings, timeouts, signal }: TransactOptions = {},
  ): Promise<T> {
    const local = localSettings(timeouts, settings);
    const options = isolation === undefined ? {} : { isolationLevel: isolationLevels[isolation] };
    return this.#units.run(signal, async (unit) => {
      for (let attempt = 0; ; attempt++) {
        try {
          await Connections.of(this.orm).settle();
          return await inTransaction(this.orm.em.fork(), work, options, { unit, local });
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
   * @throws SettingsError on settings or timeouts that are none; ReadOnlyError when `work` changes a row and flushes, or calls what writes or locks; ConnectionError, PoolTimeoutError,
   * ConnectionLostError and DatabaseClosedError as `transact` does.
   */
  async read<T>(
    work: (uow: ReadingUnitOfWork) => Promise<T>,
    { snapshot = false, settings, timeouts, signal }: ReadOptions = {},
  ): Promise<T> {
    const local = localSettings(timeouts, settings);
    const alone = !snapshot && !local && !signal && !this.#readsInTransaction;
    return this.#units.run(signal, async (unit) => {
      const em = this.orm.em.fork();
      try {
        await Connections.of(this.orm).settle();
        if (alone) return await unit.unlessInterrupted(work(new UnitOfWork(em)));
        const isolationLevel = snapshot ? IsolationLevel.REPEATABLE_READ : IsolationLevel.READ_COMMITTED;
        return await inTransaction(em, work, { isolationLevel, readOnly: true }, { unit, local });
      } catch (thrown) {
        const error = this.#told(thrown);
        // In a read-only transaction it is the server that refuses.
        if (error instanceof ForbiddenError && sqlStateOf(error) === '25006') {
          throw new ReadOnlyError('a row would be written or locked outside `transact`', { cause: thrown });
        }
        throw error;
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
