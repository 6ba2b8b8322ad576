import type { MikroORM } from '@mikro-orm/postgresql';
import { toDataError } from './translate-error.ts';
import { UnitOfWork } from './unit-of-work.ts';

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
  async transact<T>(work: (uow: UnitOfWork) => Promise<T>): Promise<T> {
    try {
      return await this.orm.em.fork().transactional((em) => work(new UnitOfWork(em)));
    } catch (error) {
      throw toDataError(error);
    }
  }

  /** Runs `work` on a unit of work of its own that writes nothing, outside a transaction. */
  async read<T>(work: (uow: UnitOfWork) => Promise<T>): Promise<T> {
    try {
      return await work(new UnitOfWork(this.orm.em.fork()));
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
