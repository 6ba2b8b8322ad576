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
import { RefusedFlushes } from './refused-flushes.ts';
import { TestServer } from './test-server.ts';

/** A PostgreSQL database of one test file's own, so that files run in parallel. */
export class TestDatabase extends Database {
  /** For whatever else a test connects with. */
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

  /** A migrated database on the suite's server. Give it back with `drop()`. */
  static create(): Promise<TestDatabase> {
    return TestServer.shared().createDatabase();
  }

  /** Used by `TestServer`. */
  static async open(
    url: string,
    drop: () => Promise<void>,
    poolMode: PoolMode = 'session',
  ): Promise<TestDatabase> {
    const target = parseDatabaseUrl(url, 'url');
    return new TestDatabase(await connect(target, { poolMode }), url, target, drop);
  }

  /**
   * Runs `work` in a transaction and rolls it back, so that tests of a file don't see each other's rows. Takes the options of
   * `transact`. When `work` returns, it flushes and checks deferred constraints, and so rejects where `transact` would. An error that
   * `work` caught is not reported again: there is no flush if the last one was refused, and no check in a failed transaction.
   *
   * @throws DataError when a row is refused; StatementError when the transaction was ended by `work`, and the database may hold its
   * rows. Errors of `work` and of the connection are thrown as by `transact`.
   */
  async rollback(work: (uow: UnitOfWork) => Promise<void>, options: TransactOptions = {}): Promise<void> {
    const completed = new Error('to be rolled back');
    try {
      await super.transact(async (uow) => {
        await this.#inRollback.run(true, () => work(uow));
        const { connection } = UnitEntityManager.gateOf(uow.em) ?? {};
        // The server says how the transaction is after it said what was wrong.
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
  /** @throws StatementError within `rollback`, which could not undo it. */
  override async transact<T>(
    work: (uow: UnitOfWork) => Promise<T>,
    options?: TransactOptions,
  ): Promise<T | Positioned<T>> {
    if (this.#inRollback.getStore()) {
      throw new StatementError(
        '`transact` of the database within its `rollback` would commit: call `uow.transact` of the unit of work, or give the test a ' +
          'database of its own and no `rollback`',
        {},
      );
    }
    return super.transact(work, options);
  }

  /** All that a commit would do which can be refused. */
  async #complete(uow: UnitOfWork): Promise<void> {
    if (!this.#refusedFlushes.has(uow.em)) await uow.flush();
    await uow.em.execute('set constraints all immediate');
  }

  /** Drops the database. Connections that a failed test left open, in the middle of something, are ended and not waited for. */
  async drop(): Promise<void> {
    const closed = Promise.allSettled([this.close()]);
    await this.#drop();
    // The pool still waits for what nobody will give back to it.
    await Promise.race([closed, setTimeout(200)]);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.drop();
  }
}
