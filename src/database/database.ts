import { setTimeout } from 'node:timers/promises';
import { IsolationLevel, type MikroORM } from '@mikro-orm/postgresql';
import { ContentionError, ForbiddenError, ReadOnlyError } from '../errors.ts';
import { defaultFor } from '../settings/setting-definitions.ts';
import { Connections, closeWithin } from '../postgres/client/connections.ts';
import type { DatabaseHealth } from './health/database-health.ts';
import { HealthCheck } from './health/health-check.ts';
import {
  localSettings,
  type TransactionSettings,
  type TransactionTimeouts,
} from '../postgres/client/local-settings.ts';
import type { ConnectOptions } from '../postgres/orm/orm-options.ts';
import { ReplicaSet } from './replicas/replica-set.ts';
import { parseIsolation, type IsolationName } from './units/parse-isolation.ts';
import type { RunningUnit } from './units/running-unit.ts';
import { RunningUnits } from './units/running-units.ts';
import type { Telemetry } from './telemetry/telemetry.ts';
import { runTransaction } from './units/run-transaction.ts';
import { tagStatements } from '../postgres/sql/statement-tags.ts';
import { sqlStateOf, toDataError } from '../postgres/errors/translate-error.ts';
import { UnitOfWork, type ReadingUnitOfWork } from './units/unit-of-work.ts';
import { UnitEntityManager } from './units/unit-entity-manager.ts';
import { currentCall, UnitGate } from './units/unit-gate.ts';

interface LocalOptions {
  /**
   * Settings of the server for this transaction only (`{ 'app.user': id }`), such as those that policies of row-level security read. They
   * are set before `work` begins, and a rollback to a savepoint restores them.
   */
  readonly settings?: TransactionSettings | undefined;
  /** The server's timeouts for it. Default, for each: that of the database. */
  readonly timeouts?: TransactionTimeouts | undefined;
}

export interface TransactOptions extends LocalOptions {
  /** The isolation level. Default `read committed`. */
  readonly isolation?: IsolationName;
  /**
   * How often to retry `work`, in a new unit of work, after a serialization failure, a deadlock (40001, 40P01), or a
   * change of the schema that a prepared statement met. Default 0. Side effects of
   * `work` outside the database must be idempotent.
   */
  readonly retries?: number;
  /**
   * Aborts the unit of work: it rejects with the signal's reason, the running statement is cancelled on the server, and the transaction is
   * rolled back. Once the commit was sent, its result counts; without an answer within a second, `CommitUnknownError` is thrown.
   */
  readonly signal?: AbortSignal | undefined;
}

/** The result of a unit of work, and the position in the write-ahead log after its commit. */
export interface Positioned<T> {
  readonly result: T;
  /**
   * The value for `atLeast` of a read that has to see the change; a text that can be kept in a session or a cookie. Null when it could not be
   * read after the commit: then the primary answers such a read.
   */
  readonly position: string | null;
}

export interface ReadOptions extends LocalOptions {
  /**
   * Whether all reads see one snapshot of the database, in a read-only transaction. Default false: each statement sees what was committed
   * when it began, without a transaction unless settings, timeouts or `external` pooling need one.
   */
  readonly snapshot?: boolean;
  /**
   * Aborts the unit of work: it rejects with the signal's reason, and the running statement is cancelled on the server. With a signal, all
   * reads share a connection, in a read-only transaction.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Allows a read from a replica that lags by `maxReplicaLag` at most. The primary answers when there is no such replica. When a replica fails
   * during the read, `work` is run again on the primary: its side effects must be idempotent. Default: the primary.
   */
  readonly from?: 'replica' | undefined;
  /** A `position` of `transact`: the read sees everything that was committed up to it. Null: the primary answers. */
  readonly atLeast?: string | null | undefined;
}

export interface CloseOptions {
  /** Milliseconds for running units of work to end. Default: `closeTimeout` of `openDatabase`. */
  readonly timeout?: number;
}

/** The parts of a database besides the ORM. */
export interface DatabaseDependencies extends Pick<ConnectOptions, 'poolMode' | 'timeouts'> {
  /** Milliseconds. Default 10,000. */
  readonly closeTimeout?: number | undefined;
  /** Default: none. */
  readonly replicas?: ReplicaSet | undefined;
  /** Default: none. */
  readonly telemetry?: Telemetry | undefined;
}

/** A PostgreSQL database and its connection pool. Created by `openDatabase`. */
export class Database {
  /** The ORM, for tools. Services use `transact` and `read`. Its errors are `DataError`s. */
  readonly orm: MikroORM;
  readonly #units = new RunningUnits();
  readonly #closeTimeout: number;
  readonly #readsInTransaction: boolean;
  readonly #replicas: ReplicaSet;
  readonly #telemetry: Telemetry | undefined;
  readonly #health: HealthCheck;
  #closing: Promise<void> | undefined;

  constructor(
    orm: MikroORM,
    {
      poolMode,
      timeouts = {},
      closeTimeout = defaultFor('closeTimeout'),
      replicas,
      telemetry,
    }: DatabaseDependencies = {},
  ) {
    this.orm = orm;
    const connections = Connections.of(orm);
    connections.throwsDataErrors = true;
    connections.currentCall = currentCall;
    this.#closeTimeout = closeTimeout;
    this.#replicas = replicas ?? new ReplicaSet(orm, [], 0);
    this.#telemetry = telemetry;
    this.#health = new HealthCheck(orm, this.#replicas);
    // Timeouts are set on a transaction, and with `external` pooling all reads of a unit of work have to share a connection.
    this.#readsInTransaction = poolMode === 'external' || (timeouts.statement ?? timeouts.lock) !== undefined;
  }

  /**
   * Runs `work` as a unit of work in one transaction. Commits when `work` returns and rolls back when it throws. With `position: true`, it
   * also returns the position in the write-ahead log, for reads from replicas that have to see the change.
   *
   * @throws SettingsError when the isolation, settings or timeouts are invalid; DataError when PostgreSQL refuses a change;
   * UnfinishedWorkError when `work` returns before one of its calls has ended; StatementError when a statement ended the transaction;
   * ConnectionError or PoolTimeoutError when there is no connection; ConnectionLostError, or CommitUnknownError, when it is lost;
   * DatabaseClosedError. Errors of `work` are thrown unchanged. Inside `work`, repositories, `em` and Kysely throw `DataError`s too, with row
   * data in `cause` only.
   */
  transact<T>(
    work: (uow: UnitOfWork) => Promise<T>,
    options: TransactOptions & { readonly position: true },
  ): Promise<Positioned<T>>;
  transact<T>(work: (uow: UnitOfWork) => Promise<T>, options?: TransactOptions): Promise<T>;
  async transact<T>(
    work: (uow: UnitOfWork) => Promise<T>,
    { position = false, ...options }: TransactOptions & { readonly position?: boolean } = {},
  ): Promise<T | Positioned<T>> {
    const result = await this.#traced('transact', () => this.#transact(work, options));
    return position ? { result, position: await this.#position() } : result;
  }

  /**
   * Runs `work` as a unit of work that only reads.
   *
   * @throws SettingsError when settings or timeouts are invalid; ReadOnlyError when `work` flushes a change, or calls a method that writes or
   * locks; ConnectionError, PoolTimeoutError, ConnectionLostError and DatabaseClosedError as `transact`.
   */
  async read<T>(
    work: (uow: ReadingUnitOfWork) => Promise<T>,
    { from, atLeast, ...options }: ReadOptions = {},
  ): Promise<T> {
    return this.#traced('read', () =>
      this.#units.run(options.signal, async (unit) => {
        const replica =
          from === 'replica' ? await unit.unlessInterrupted(this.#replicas.pick(atLeast)) : null;
        if (!replica) return this.#readOn(this.orm, work, options, unit);
        try {
          return await this.#readOn(replica.orm, work, options, unit);
        } catch (error) {
          if (unit.interruption || !this.#replicas.isReplicaFailure(replica, error)) throw error;
          return this.#readOn(this.orm, work, options, unit);
        }
      }),
    );
  }

  /**
   * Returns the health of the database, its pool, its schema and its replicas, within `timeout` milliseconds, by default 2,000. Never throws.
   * Concurrent calls share one check through the pool, and at most one connection outside it.
   */
  health({ timeout = 2_000 }: { readonly timeout?: number } = {}): Promise<DatabaseHealth> {
    return tagStatements('database.health', () => this.#health.check(timeout));
  }

  /**
   * Refuses new units of work, waits for the running ones, and closes the pool. After `timeout`, running units of work are cancelled and reject
   * with `DatabaseClosedError`, or `CommitUnknownError` if the commit was sent. It ends a second or two later at most, also when the server does
   * not answer. Further calls return the same promise.
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
    this.#health.end();
    await this.#units.close(timeout);
    this.#telemetry?.stop();
    const left = deadline - performance.now();
    await Promise.all([this.#replicas.close(left), closeWithin(left, this.orm)]);
  }

  #traced<T>(kind: 'transact' | 'read', work: () => Promise<T>): Promise<T> {
    return this.#telemetry ? this.#telemetry.traceUnitOfWork(kind, work) : work();
  }

  async #transact<T>(
    work: (uow: UnitOfWork) => Promise<T>,
    { isolation, retries = 0, settings, timeouts, signal }: TransactOptions,
  ): Promise<T> {
    const local = localSettings(timeouts, settings);
    const options = isolation === undefined ? {} : { isolationLevel: parseIsolation(isolation) };
    return this.#units.run(signal, async (unit) => {
      for (let attempt = 0; ; attempt++) {
        try {
          await Connections.of(this.orm).processCloseEvents();
          return await runTransaction(UnitEntityManager.of(this.orm), work, options, { unit, local });
        } catch (thrown) {
          const error = toDataError(thrown);
          if (attempt >= retries || !isRetryable(error)) throw error;
          // Backoff with jitter, so that transactions that conflicted once don't conflict again.
          const delay = Math.random() * 10 * 2 ** Math.min(attempt, 6);
          this.#telemetry?.reportRetry(error, { attempt: attempt + 1, delay });
          await unit.unlessInterrupted(setTimeout(delay));
        }
      }
    });
  }

  async #readOn<T>(
    orm: MikroORM,
    work: (uow: ReadingUnitOfWork) => Promise<T>,
    { snapshot = false, settings, timeouts, signal }: Omit<ReadOptions, 'from' | 'atLeast'>,
    unit: RunningUnit,
  ): Promise<T> {
    const local = localSettings(timeouts, settings);
    const em = UnitEntityManager.of(orm);
    try {
      await Connections.of(orm).processCloseEvents();
      if (!snapshot && !local && !signal && !this.#readsInTransaction) {
        const gate = new UnitGate(undefined);
        em.join(gate);
        try {
          return await unit.unlessInterrupted(work(new UnitOfWork(em)));
        } finally {
          gate.end();
          em.close();
        }
      }
      const isolationLevel = snapshot ? IsolationLevel.REPEATABLE_READ : IsolationLevel.READ_COMMITTED;
      return await runTransaction(em, work, { isolationLevel, readOnly: true }, { unit, local });
    } catch (thrown) {
      const error = toDataError(thrown);
      // In a read-only transaction, the server refuses it.
      if (error instanceof ForbiddenError && sqlStateOf(error) === '25006') {
        throw new ReadOnlyError('a row would be written or locked outside `transact`: use `transact`', {
          cause: thrown,
        });
      }
      throw error;
    }
  }

  // The insert position is after the commit record, also when that is not flushed to disk yet.
  async #position(): Promise<string | null> {
    try {
      const [row] = await tagStatements('database.position', () =>
        this.orm.em
          .getConnection()
          .execute<{ position: string }[]>('select pg_current_wal_insert_lsn()::text as position'),
      );
      return row?.position ?? null;
    } catch {
      // The change is committed: an error would suggest otherwise.
      return null;
    }
  }
}

// Not a failed optimistic lock, which the caller decides about. The last four: the tables of a prepared statement changed.
function isRetryable(error: unknown): boolean {
  const codes = ['40001', '40P01', '0A000', '26000', '42804', '42883'];
  return error instanceof ContentionError && codes.includes(sqlStateOf(error));
}
