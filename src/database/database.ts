import { setTimeout } from 'node:timers/promises';
import { IsolationLevel, type EntityManager, type MikroORM } from '@mikro-orm/postgresql';
import { ContentionError } from '../errors.ts';
import { HealthCheck, type DatabaseHealth } from './health.ts';
import { ReplicaSet } from './replicas/replica-set.ts';
import type { Telemetry } from './telemetry/telemetry.ts';
import { sqlStateOf, toDataError } from './translate-error.ts';
import { UnitOfWork, type ReadingUnitOfWork } from './unit-of-work.ts';

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
}

/** What a unit of work gave, and where the write-ahead log ended after its commit. */
export interface Positioned<T> {
  readonly result: T;
  /**
   * For `atLeast` of a read that has to see the change; a text, to be kept in a session or a cookie. Null when the database did not
   * tell it any more after the commit: such a read is the primary's.
   */
  readonly position: string | null;
}

export interface ReadOptions {
  /** Whether all reads see the database as of one moment, in a read-only transaction. Default false: no transaction. */
  readonly snapshot?: boolean;
  /**
   * Lets a replica answer, which may be behind by `maxReplicaLag`. One that is down, or lags more, is passed over; where there is no
   * other, and where a replica fails on the way, the primary answers: `work` is run again then, and what it does besides the
   * database must bear that. Default: the primary.
   */
  readonly from?: 'replica';
  /** What `transact` gave as `position`: the read sees all that was committed up to there. Null: the primary answers. */
  readonly atLeast?: string | null;
}

/** What a database is made of, besides the ORM. */
export interface DatabaseParts {
  readonly replicas?: ReplicaSet;
  /** Default: nobody is told anything. */
  readonly telemetry?: Telemetry;
}

/** A PostgreSQL database, its pool of connections, and the only way to write to it. Made by `openDatabase`. */
export class Database {
  /** The ORM behind it, for tools. Services use `transact` and `read`. */
  readonly orm: MikroORM;
  readonly #replicas: ReplicaSet;
  readonly #telemetry: Telemetry | undefined;
  readonly #health: HealthCheck;

  constructor(orm: MikroORM, { replicas = new ReplicaSet(orm, [], 0), telemetry }: DatabaseParts = {}) {
    this.orm = orm;
    this.#replicas = replicas;
    this.#telemetry = telemetry;
    this.#health = new HealthCheck(orm, replicas);
  }

  /**
   * Runs `work` as one unit in one transaction: what it changes is written when it returns, and nothing is when it throws. With
   * `position: true` it gives the position of the write-ahead log along, for reads from replicas that have to see the change.
   *
   * @throws DataError when PostgreSQL refuses the change; whatever `work` throws comes through unchanged.
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
   * Runs `work` on a unit of work of its own, for reading only.
   *
   * @throws ReadOnlyError when `work` changes a row and flushes, or calls what writes or locks; InvalidValueError when `atLeast` is no
   * position.
   */
  async read<T>(
    work: (uow: ReadingUnitOfWork) => Promise<T>,
    { from, atLeast, ...options }: ReadOptions = {},
  ): Promise<T> {
    return this.#observed('read', async () => {
      const replica = from === 'replica' ? await this.#replicas.pick(atLeast) : null;
      if (!replica) return readOn(this.orm, work, options);
      try {
        return await readOn(replica.orm, work, options);
      } catch (error) {
        if (!this.#replicas.isToBlame(replica, error)) throw error;
        return readOn(this.orm, work, options);
      }
    });
  }

  /**
   * How the database, its pool, its schema and its replicas are. Never throws: a database that is down is told as such, when it has
   * not answered within `timeout` milliseconds, by default 2,000. Replicas have a second of their own.
   */
  health({ timeout = 2_000 }: { readonly timeout?: number } = {}): Promise<DatabaseHealth> {
    return this.#health.examine(timeout);
  }

  /** Closes the pools. */
  async close(): Promise<void> {
    this.#health.end();
    this.#telemetry?.stop();
    await this.#replicas.close();
    await this.orm.close(true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #observed<T>(kind: 'transact' | 'read', work: () => Promise<T>): Promise<T> {
    return this.#telemetry ? this.#telemetry.unitOfWork(kind, work) : work();
  }

  async #transact<T>(
    work: (uow: UnitOfWork) => Promise<T>,
    { isolation, retries = 0 }: TransactOptions,
  ): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        const options = isolation === undefined ? {} : { isolationLevel: isolationLevels[isolation] };
        return await inTransaction(this.orm.em.fork(), work, options);
      } catch (thrown) {
        const error = toDataError(thrown);
        if (attempt >= retries || !mayRetry(error)) throw error;
        // Jittered, so that those who met once do not meet again.
        const delay = Math.random() * 10 * 2 ** Math.min(attempt, 6);
        this.#telemetry?.retrying(error, { attempt: attempt + 1, delay });
        await setTimeout(delay);
      }
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

async function readOn<T>(
  orm: MikroORM,
  work: (uow: ReadingUnitOfWork) => Promise<T>,
  { snapshot = false }: Omit<ReadOptions, 'from' | 'atLeast'>,
): Promise<T> {
  const em = orm.em.fork();
  try {
    if (!snapshot) return await work(new UnitOfWork(em));
    return await inTransaction(em, work, { isolationLevel: IsolationLevel.REPEATABLE_READ, readOnly: true });
  } catch (error) {
    throw toDataError(error);
  }
}

// By hand rather than by `em.transactional`, which forks the fresh manager once more and enters a context that nobody asks for.
async function inTransaction<T>(
  em: EntityManager,
  work: (uow: UnitOfWork) => Promise<T>,
  options: Parameters<EntityManager['begin']>[0],
): Promise<T> {
  await em.begin(options);
  try {
    const result = await work(new UnitOfWork(em));
    await em.commit();
    return result;
  } catch (error) {
    // Why the work failed matters, not that its connection is gone too.
    await em.rollback().catch(() => {});
    throw error;
  }
}

// An optimistic lock that was lost is contention too, but running the same change again is for the caller to decide.
function mayRetry(error: unknown): boolean {
  return error instanceof ContentionError && ['40001', '40P01'].includes(sqlStateOf(error));
}
