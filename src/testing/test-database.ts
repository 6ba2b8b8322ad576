import { setTimeout } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/postgresql';
import { connect } from '../database/connect.ts';
import { Database } from '../database/database.ts';
import type { PoolMode } from '../database/pool-options.ts';
import { UnitOfWork } from '../database/unit-of-work.ts';
import { parseDatabaseUrl, type DatabaseTarget } from '../settings/database-url.ts';
import { TestServer } from './test-server.ts';

/** A PostgreSQL database of one test file's own, so that files run in parallel. */
export class TestDatabase extends Database {
  /** For whatever else a test connects with. */
  readonly url: string;
  readonly target: DatabaseTarget;
  readonly #drop: () => Promise<void>;

  private constructor(orm: MikroORM, url: string, target: DatabaseTarget, drop: () => Promise<void>) {
    super(orm);
    this.url = url;
    this.target = target;
    this.#drop = drop;
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
