import type { MikroORM } from '@mikro-orm/postgresql';
import { connect } from '../database/connect.ts';
import { Database } from '../database/database.ts';
import { UnitOfWork } from '../database/unit-of-work.ts';
import type { DatabaseTarget } from '../settings/database-url.ts';
import { TestServer } from './test-server.ts';

/** A PostgreSQL database of one test file's own, so that files run in parallel. */
export class TestDatabase extends Database {
  readonly target: DatabaseTarget;
  readonly #drop: () => Promise<void>;

  private constructor(orm: MikroORM, target: DatabaseTarget, drop: () => Promise<void>) {
    super(orm);
    this.target = target;
    this.#drop = drop;
  }

  /** A migrated database on the suite's server. Give it back with `drop()`. */
  static create(): Promise<TestDatabase> {
    return TestServer.shared().createDatabase();
  }

  /** Used by `TestServer`. */
  static async open(target: DatabaseTarget, drop: () => Promise<void>): Promise<TestDatabase> {
    return new TestDatabase(await connect(target), target, drop);
  }

  /** Runs `work` in a transaction and takes back all that it wrote, so that tests of a file don't see each other's rows. */
  async rollback(work: (uow: UnitOfWork) => Promise<void>): Promise<void> {
    const em = this.orm.em.fork();
    await em.begin();
    try {
      await work(new UnitOfWork(em));
    } finally {
      await em.rollback();
    }
  }

  /** Closes the connections and drops the database. */
  async drop(): Promise<void> {
    await this.close();
    await this.#drop();
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.drop();
  }
}
