import { setTimeout } from 'node:timers/promises';
import { IsolationLevel, type EntityManager, type MikroORM } from '@mikro-orm/postgresql';
import { ContentionError } from '../errors.ts';
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

export interface ReadOptions {
  /** Whether all reads see the database as of one moment, in a read-only transaction. Default false: no transaction. */
  readonly snapshot?: boolean;
}

/** A PostgreSQL database, its pool of connections, and the only way to write to it. Made by `openDatabase`. */
export class Database {
  /** The ORM behind it, for tools. Services use `transact` and `read`. */
  readonly orm: MikroORM;

  constructor(orm: MikroORM) {
    this.orm = orm;
  }

  /**
   * Runs `work` as one unit in one transaction: what it changes is written when it returns, and nothing is when it throws.
   *
   * @throws DataError when PostgreSQL refuses the change; whatever `work` throws comes through unchanged.
   */
  async transact<T>(
    work: (uow: UnitOfWork) => Promise<T>,
    { isolation, retries = 0 }: TransactOptions = {},
  ): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        const options = isolation === undefined ? {} : { isolationLevel: isolationLevels[isolation] };
        return await inTransaction(this.orm.em.fork(), work, options);
      } catch (thrown) {
        const error = toDataError(thrown);
        if (attempt >= retries || !mayRetry(error)) throw error;
        // Jittered, so that those who met once do not meet again.
        await setTimeout(Math.random() * 10 * 2 ** Math.min(attempt, 6));
      }
    }
  }

  /**
   * Runs `work` on a unit of work of its own, for reading only.
   *
   * @throws ReadOnlyError when `work` changes a row and flushes, or calls what writes or locks.
   */
  async read<T>(
    work: (uow: ReadingUnitOfWork) => Promise<T>,
    { snapshot = false }: ReadOptions = {},
  ): Promise<T> {
    const em = this.orm.em.fork();
    try {
      if (!snapshot) return await work(new UnitOfWork(em));
      return await inTransaction(em, work, {
        isolationLevel: IsolationLevel.REPEATABLE_READ,
        readOnly: true,
      });
    } catch (error) {
      throw toDataError(error);
    }
  }

  /** Closes the pool. */
  async close(): Promise<void> {
    await this.orm.close(true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
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
