import { setTimeout } from 'node:timers/promises';
import { IsolationLevel, type MikroORM } from '@mikro-orm/postgresql';
import { ContentionError, ForbiddenError, ReadOnlyError, SettingsError } from '../errors.ts';
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
import type { RunningUnit } from './units/running-unit.ts';
import { RunningUnits } from './units/running-units.ts';
import type { Telemetry } from './telemetry/telemetry.ts';
import { runTransaction } from './units/run-transaction.ts';
import { sqlStateOf, toDataError } from '../postgres/errors/translate-error.ts';
import { UnitOfWork, type ReadingUnitOfWork } from './units/unit-of-work.ts';
import { UnitEntityManager } from './units/unit-entity-manager.ts';
import { UnitGate } from './units/unit-gate.ts';

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
  /** Timeouts of the server for this transaction. Default, for each: that of the database. */
  readonly timeouts?: TransactionTimeouts | undefined;
}

export interface TransactOptions extends LocalOptions {
  /** What the transaction sees of others. Default `read committed`. */
  readonly isolation?: keyof typeof isolationLevels;
  /**
   * How often `work` is retried, in a new unit of work, after a serialization failure or a deadlock (40001, 40P01). Default 0. Side
   * effects of `work` outside the database must be idempotent.
   */
  readonly retries?: number;
  /**
   * Ends the unit of work when it is aborted: it rejects with the signal's reason, the statement that runs is cancelled on the server,
   * nothing is written. Once the commit was sent, its result counts; when that does not come within a second, `CommitUnknownError`.
   */
  readonly signal?: AbortSignal | undefined;
}

/** What a unit of work gave, and where the write-ahead log ended after its commit. */
export interface Positioned<T> {
  readonly result: T;
  /**
   * For `atLeast` of a read that has to see the change; a text, to be kept in a session or a cookie. Null if the
   * connection was lost after the commit: then the primary answers.
   */
  readonly position: string | null;
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
  /**
   * Lets a replica answer, which may be behind by `maxReplicaLag`. One that is down, or lags more, is passed over; where there is no
   * other, and where a replica fails on the way, the primary answers: `work` is run again then, so side
   * effects outside the database must be idempotent. Default: the primary.
   */
  readonly from?: 'replica' | undefined;
  /** What `transact` gave as `position`: the read sees all that was committed up to there. Null: the primary answers. */
  readonly atLeast?: string | null | undefined;
}

export interface CloseOptions {
  /** Milliseconds that running units of work have to end. Default: `closeTimeout` of `openDatabase`. */
  readonly timeout?: number;
}

/** What a database is made of, besides the ORM. */
export interface DatabaseParts extends Pick<ConnectOptions, 'poolMode' | 'timeouts'> {
  /** Milliseconds. Default 10,000. */
  readonly closeTimeout?: number | undefined;
  /** Default: none. */
  readonly replicas?: ReplicaSet | undefined;
  /** Default: no logs, spans and metrics. */
  readonly telemetry?: Telemetry | undefined;
}

/** A PostgreSQL database, its pool of connections, and the only way to write to it. Made by `openDatabase`. */
export class Database {
  /** The ORM behind it, for tools. Services use `transact` and `read`. Its errors are `DataError`s. */
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
    }: DatabaseParts = {},
  ) {
    this.orm = orm;
    Connections.of(orm).throwsDataErrors = true;
    this.#closeTimeout = closeTimeout;
    this.#replicas = replicas ?? new ReplicaSet(orm, [], 0);
    this.#telemetry = telemetry;
    this.#health = new HealthCheck(orm, this.#replicas);
    // The settings of a transaction need one, and so does a single connection for all reads of a unit of work.
    this.#readsInTransaction = poolMode === 'external' || (timeouts.statement ?? timeouts.lock) !== undefined;
  }

  /**
   * Runs `work` as one unit in one transaction: what it changes is written when it returns, and nothing is when it throws. With
   * `position: true` it gives the position of the write-ahead log along, for reads from replicas that have to see the change.
   *
   * @throws SettingsError on an isolation, settings or timeouts that are none; DataError when PostgreSQL refuses the change;
   * UnfinishedWorkError when `work` returns before a call of it has ended; StatementError when a statement ended the transaction;
   * ConnectionError or PoolTimeoutError when there is no connection; ConnectionLostError, or CommitUnknownError, when it is lost;
   * DatabaseClosedError. What `work` throws is thrown unchanged. Inside `work`, what its repositories, `em` and Kysely throw are
   * `DataError`s as well, without values of rows except in `cause`.
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
    const result = await this.#observed('transact', () => this.#transact(work, options));
    return position ? { result, position: await this.#position() } : result;
  }

  /**
   * Runs `work` in a new unit of work that only reads.
   *
   * @throws SettingsError on settings or timeouts that are none; ReadOnlyError when `work` changes a row and flushes, or calls what
   * writes or locks; ConnectionError, PoolTimeoutError, ConnectionLostError and DatabaseClosedError as `transact` does.
   */
  async read<T>(
    work: (uow: ReadingUnitOfWork) => Promise<T>,
    { from, atLeast, ...options }: ReadOptions = {},
  ): Promise<T> {
    return this.#observed('read', () =>
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
   * Returns how the database, its pool, its schema and its replicas are, within `timeout` milliseconds, by default 2,000. Never
   * throws. Any number of calls at once share one question to the pool, and at most one connection besides it.
   */
  health({ timeout = 2_000 }: { readonly timeout?: number } = {}): Promise<DatabaseHealth> {
    return this.#health.examine(timeout);
  }

  /**
   * Refuses new units of work, waits for those that run, and closes the pool. What runs for longer than `timeout` is cancelled and
   * rejects with `DatabaseClosedError`, or `CommitUnknownError` if its commit was sent; all has ended at most two seconds later, in any state of the server. May be
   * called several times.
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

  #observed<T>(kind: 'transact' | 'read', work: () => Promise<T>): Promise<T> {
    return this.#telemetry ? this.#telemetry.unitOfWork(kind, work) : work();
  }

  async #transact<T>(
    work: (uow: UnitOfWork) => Promise<T>,
    { isolation, retries = 0, settings, timeouts, signal }: TransactOptions,
  ): Promise<T> {
    const local = localSettings(timeouts, settings);
    const options = isolation === undefined ? {} : { isolationLevel: knownIsolation(isolation) };
    return this.#units.run(signal, async (unit) => {
      for (let attempt = 0; ; attempt++) {
        try {
          await Connections.of(this.orm).settle();
          return await runTransaction(UnitEntityManager.of(this.orm), work, options, { unit, local });
        } catch (thrown) {
          const error = toDataError(thrown);
          if (attempt >= retries || !mayRetry(error)) throw error;
          // Jittered, so that those who met once do not meet again.
          const delay = Math.random() * 10 * 2 ** Math.min(attempt, 6);
          this.#telemetry?.retrying(error, { attempt: attempt + 1, delay });
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
      await Connections.of(orm).settle();
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
      // In a read-only transaction it is the server that refuses.
      if (error instanceof ForbiddenError && sqlStateOf(error) === '25006') {
        throw new ReadOnlyError('a row would be written or locked outside `transact`', { cause: thrown });
      }
      throw error;
    }
  }

  // Past the commit's own record, which may not have been written to the disk yet.
  async #position(): Promise<string | null> {
    try {
      const [row] = await this.orm.em
        .getConnection()
        .execute<{ position: string }[]>('select pg_current_wal_insert_lsn()::text as position');
      return row?.position ?? null;
    } catch {
      // What was done is committed: to throw would make it look undone.
      return null;
    }
  }
}

// An optimistic lock that was lost is contention too, but running the same change again is for the caller to decide.
function mayRetry(error: unknown): boolean {
  return error instanceof ContentionError && ['40001', '40P01'].includes(sqlStateOf(error));
}

/** @throws SettingsError on another one, which the ORM would pass over: the transaction would protect less than was asked for. */
function knownIsolation(isolation: keyof typeof isolationLevels): IsolationLevel {
  if (Object.hasOwn(isolationLevels, isolation)) return isolationLevels[isolation];
  const known = Object.keys(isolationLevels).join(', ');
  throw new SettingsError(`isolation is ${JSON.stringify(isolation)}: it is one of ${known}`);
}
