import { setTimeout } from 'node:timers/promises';
import type { CompiledQuery } from 'kysely';
import { IsolationLevel, type EntityManager, type MikroORM } from '@mikro-orm/postgresql';
import { ContentionError, ForbiddenError, ReadOnlyError } from '../errors.ts';
import { localSettings, type TransactionSettings, type TransactionTimeouts } from './local-settings.ts';
import type { ConnectOptions } from './orm-options.ts';
import { sqlStateOf, toDataError } from './translate-error.ts';
import { UnitOfWork, type ReadingUnitOfWork } from './unit-of-work.ts';

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
}

export interface ReadOptions extends LocalOptions {
  /**
   * Whether all reads see the database as of one moment, in a read-only transaction. Default false: no transaction, unless settings,
   * timeouts for statements or locks, or `external` pooling need one; each read then sees what was committed when it began.
   */
  readonly snapshot?: boolean;
}

/** A PostgreSQL database, its pool of connections, and the only way to write to it. Made by `openDatabase`. */
export class Database {
  /** The ORM behind it, for tools. Services use `transact` and `read`. */
  readonly orm: MikroORM;
  readonly #readsInTransaction: boolean;

  constructor(
    orm: MikroORM,
    { poolMode, timeouts = {} }: Pick<ConnectOptions, 'poolMode' | 'timeouts'> = {},
  ) {
    this.orm = orm;
    // The settings of a transaction need one, and so does a single connection for all reads of a unit of work.
    this.#readsInTransaction = poolMode === 'external' || (timeouts.statement ?? timeouts.lock) !== undefined;
  }

  /**
   * Runs `work` as one unit in one transaction: what it changes is written when it returns, and nothing is when it throws.
   *
   * @throws SettingsError on settings or timeouts that are none; DataError when PostgreSQL refuses the change; whatever `work`
   * throws comes through unchanged.
   */
  async transact<T>(
    work: (uow: UnitOfWork) => Promise<T>,
    { isolation, retries = 0, settings, timeouts }: TransactOptions = {},
  ): Promise<T> {
    const local = localSettings(timeouts, settings);
    for (let attempt = 0; ; attempt++) {
      try {
        const options = isolation === undefined ? {} : { isolationLevel: isolationLevels[isolation] };
        return await inTransaction(this.orm.em.fork(), work, options, local);
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
   * @throws SettingsError on settings or timeouts that are none; ReadOnlyError when `work` changes a row and flushes, or calls what
   * writes or locks.
   */
  async read<T>(
    work: (uow: ReadingUnitOfWork) => Promise<T>,
    { snapshot = false, settings, timeouts }: ReadOptions = {},
  ): Promise<T> {
    const local = localSettings(timeouts, settings);
    const em = this.orm.em.fork();
    try {
      if (!snapshot && !local && !this.#readsInTransaction) return await work(new UnitOfWork(em));
      const isolationLevel = snapshot ? IsolationLevel.REPEATABLE_READ : IsolationLevel.READ_COMMITTED;
      return await inTransaction(em, work, { isolationLevel, readOnly: true }, local);
    } catch (thrown) {
      const error = toDataError(thrown);
      // In a read-only transaction it is the server that refuses.
      if (error instanceof ForbiddenError && sqlStateOf(error) === '25006') {
        throw new ReadOnlyError('a row would be written or locked outside `transact`', { cause: thrown });
      }
      throw error;
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
  local: CompiledQuery | null,
): Promise<T> {
  await em.begin(options);
  try {
    if (local) await em.getKysely().executeQuery(local);
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
