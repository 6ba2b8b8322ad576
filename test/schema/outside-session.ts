import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { connect } from '../../src/postgres/orm/connect.ts';
import type { TestDatabase } from '../../src/testing/index.ts';

/** Somebody else's transaction on a test's database, to hold locks that the code under test runs into. */
export class OutsideSession implements AsyncDisposable {
  readonly #orm: MikroORM;
  readonly #transaction: EntityManager;

  private constructor(orm: MikroORM, transaction: EntityManager) {
    this.#orm = orm;
    this.#transaction = transaction;
  }

  /** Opens the transaction and takes a lock by `statement`. */
  static async holding(db: TestDatabase, statement: string): Promise<OutsideSession> {
    const orm = await connect(db.target);
    const transaction = orm.em.fork();
    await transaction.begin();
    await transaction.execute(statement);
    return new OutsideSession(orm, transaction);
  }

  /** Returns when so many sessions wait for a lock, each with a statement that matches `pattern`: their process ids. */
  async waiting(count: number, pattern = ''): Promise<number[]> {
    const deadline = Date.now() + 10_000;
    while (Date.now() < deadline) {
      const rows = await this.#orm.em.execute<{ pid: number }[]>(
        `select pid from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock' and query ~ ?`,
        [pattern],
      );
      if (rows.length === count) return rows.map(({ pid }) => pid);
    }
    throw new Error(`${count} sessions should wait for a lock, and do not`);
  }

  /** Sends a further statement in the transaction. */
  async execute(statement: string): Promise<void> {
    await this.#transaction.execute(statement);
  }

  /** Cancels what another session is doing. */
  async cancel(pid: number): Promise<void> {
    await this.#orm.em.execute('select pg_cancel_backend(?)', [pid]);
  }

  /** Gives the lock back. */
  async release(): Promise<void> {
    if (this.#transaction.isInTransaction()) await this.#transaction.rollback();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
    await this.#orm.close(true);
  }
}
