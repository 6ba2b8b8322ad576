import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/postgresql';
import { connect } from '../postgres/orm/connect.ts';
import { Database, type Positioned, type TransactOptions } from '../database/database.ts';
import type { PoolMode } from '../postgres/client/pool-options.ts';
import type { UnitOfWork } from '../database/units/unit-of-work.ts';
import { UnitEntityManager } from '../database/units/unit-entity-manager.ts';
import { StatementError } from '../errors.ts';
import { parseDatabaseUrl, type DatabaseTarget } from '../settings/database-url.ts';
import { resolveSettings } from '../settings/resolve-settings.ts';
import { allocateDatabase, sharedCoordinates } from './allocate-database.ts';
import { RefusedFlushes } from './refused-flushes.ts';

const variable = 'DATABASE_NAMED_STATEMENTS';

/** A PostgreSQL database of one test file, so that files run in parallel. */
export class TestDatabase extends Database {
  /** The URL, for other clients. */
  readonly url: string;
  readonly target: DatabaseTarget;
  readonly #drop: () => Promise<void>;
  readonly #inRollback = new AsyncLocalStorage<true>();
  readonly #refusedFlushes = new RefusedFlushes();

  private constructor(orm: MikroORM, url: string, target: DatabaseTarget, drop: () => Promise<void>) {
    super(orm);
    this.url = url;
    this.target = target;
    this.#drop = drop;
    orm.em.getEventManager().registerSubscriber(this.#refusedFlushes);
  }

  /**
   * Creates a migrated database on the server of the run. Drop it with `drop()`. Of the settings in the environment, it obeys
   * `DATABASE_NAMED_STATEMENTS`.
   */
  static async create(): Promise<TestDatabase> {
    const coordinates = sharedCoordinates();
    const { url, drop, poolMode } = await allocateDatabase(coordinates, coordinates.template);
    return TestDatabase.open(url, drop, poolMode);
  }

  /** Connects to a database, which `drop` drops. Used by `TestServer`. */
  static async open(
    url: string,
    drop: () => Promise<void>,
    poolMode: PoolMode = 'session',
  ): Promise<TestDatabase> {
    const target = parseDatabaseUrl(url, 'url');
    const { namedStatements } = resolveSettings({ url }, { [variable]: process.env[variable] });
    const orm = await connect(target, { poolMode, namedStatements: namedStatements.value });
    return new TestDatabase(orm, url, target, drop);
  }

  /**
   * Runs `work` in a transaction and rolls it back, so that tests of a file don't see each other's rows. Accepts the options of `transact`.
   * When `work` returns, it flushes and checks deferred constraints, and rejects where `transact` would. An error that `work` caught is not
   * thrown again: it does not flush when the last flush was refused, and does not check constraints in a failed transaction.
   *
   * @throws DataError when a row is refused.
   * @throws StatementError when `work` ended the transaction, so that its rows may be in the database.
   * @throws Errors of `work` and of the connection, as `transact`.
   */
  async rollback(work: (uow: UnitOfWork) => Promise<void>, options: TransactOptions = {}): Promise<void> {
    const completed = new Error('to be rolled back');
    try {
      await super.transact(async (uow) => {
        await this.#inRollback.run(true, () => work(uow));
        const { connection } = UnitEntityManager.gateOf(uow.em) ?? {};
        // The server reports the transaction status after the error.
        await connection?.client.idle();
        connection?.checkTransaction();
        if (!connection?.hasFailed) await this.#complete(uow);
        throw completed;
      }, options);
    } catch (error) {
      if (error !== completed) throw error;
    }
  }

  override transact<T>(
    work: (uow: UnitOfWork) => Promise<T>,
    options: TransactOptions & { readonly position: true },
  ): Promise<Positioned<T>>;
  override transact<T>(work: (uow: UnitOfWork) => Promise<T>, options?: TransactOptions): Promise<T>;
  /**
   * Runs `work` in a transaction, as `Database.transact`.
   *
   * @throws StatementError within `rollback`, which could not undo it.
   */
  override async transact<T>(
    work: (uow: UnitOfWork) => Promise<T>,
    options?: TransactOptions,
  ): Promise<T | Positioned<T>> {
    if (this.#inRollback.getStore()) {
      throw new StatementError(
        '`transact` of the database within its `rollback` would commit; call `uow.transact` of the unit of work, or use a separate ' +
          'database without `rollback`',
        {},
      );
    }
    return super.transact(work, options);
  }

  /** Flushes and checks deferred constraints, as a commit would. */
  async #complete(uow: UnitOfWork): Promise<void> {
    if (!this.#refusedFlushes.has(uow.em)) await uow.flush();
    await uow.em.execute('set constraints all immediate');
  }

  /** Drops the database, and terminates connections that a failed test left open. */
  async drop(): Promise<void> {
    const closed = Promise.allSettled([this.close()]);
    await this.#drop();
    // The pool would wait for connections that are never released.
    await Promise.race([closed, setTimeout(200)]);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.drop();
  }
}
