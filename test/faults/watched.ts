/* oxlint-disable vitest/no-standalone-expect -- called by tests alone */
import { expect } from 'vitest';
import { openDatabase, type Database, type OpenDatabaseOptions } from '../../src/index.ts';
import type { TestDatabase } from '../../src/testing/index.ts';
import { WireProxy } from '../proxy/wire-proxy.ts';

const applicationName = 'faults';
// A machine that has much else to do takes its time.
const pollOptions = { timeout: 10_000, interval: 20 };

/** A service's database, reached through a proxy that breaks it, and looked at past that. */
export class Watched {
  readonly proxy: WireProxy;
  readonly database: Database;
  readonly #db: TestDatabase;

  private constructor(db: TestDatabase, proxy: WireProxy, database: Database) {
    this.#db = db;
    this.proxy = proxy;
    this.database = database;
  }

  static async open(db: TestDatabase, options: OpenDatabaseOptions = {}): Promise<Watched> {
    const proxy = await WireProxy.start(db.target);
    const url = `${proxy.url()}&application_name=${applicationName}`;
    const watched = new Watched(db, proxy, await openDatabase({ url, pool: { max: 2 }, ...options }));
    await expect.poll(() => watched.held()).toBe(0);
    proxy.reset();
    return watched;
  }

  /** The server's processes for it, by what they do; newest last. */
  async backends(): Promise<{ pid: number; state: string; query: string }[]> {
    return this.#db.orm.em.fork().execute(
      `select pid, state, query from pg_stat_activity
        where datname = current_database() and application_name = ? order by backend_start`,
      [applicationName],
    );
  }

  /** Waits until one of the server's processes for it runs a statement that matches. */
  async runs(statement: RegExp): Promise<void> {
    await expect
      .poll(
        async () =>
          (await this.backends()).some(({ state, query }) => state === 'active' && statement.test(query)),
        pollOptions,
      )
      .toBe(true);
  }

  /** Ends the server's processes for it, as an administrator does. */
  async kill(): Promise<void> {
    for (const { pid } of await this.backends())
      await this.#db.orm.em.fork().execute('select pg_terminate_backend(?, 5000)', [pid]);
  }

  /** Waits until the client has noticed that it lost the connections that were held: it gives their places in the pool back then. */
  async hasNoticed(): Promise<void> {
    await expect.poll(() => this.held(), pollOptions).toBe(0);
  }

  /** Connections that units of work hold. */
  async held(): Promise<number> {
    const { totalCount, idleCount } = await this.#pool();
    return totalCount - idleCount;
  }

  /** The next unit of work is served, nobody waits or holds a connection, and the server has no more of them than the pool. */
  async isWhole(): Promise<void> {
    expect(await this.database.transact(({ em }) => em.execute('select 1 as one'))).toEqual([{ one: 1 }]);
    expect(await this.held()).toBe(0);
    const { totalCount, waitingCount } = await this.#pool();
    expect(waitingCount).toBe(0);
    expect(totalCount).toBeLessThanOrEqual(2);
    await expect
      .poll(async () => (await this.backends()).map(({ state }) => state), pollOptions)
      .toEqual(Array.from({ length: totalCount }, () => 'idle'));
  }

  async close(): Promise<void> {
    await this.database.close();
    await this.proxy.close();
  }

  #pool() {
    return this.database.orm.em.getConnection().getNativeClient();
  }
}

/** Fails when `work` takes longer than so many milliseconds. */
export async function inTime(milliseconds: number, work: () => Promise<unknown>): Promise<void> {
  const took = await timed(work);
  if (took > milliseconds) throw new Error(`it took ${took} ms`);
}

/** How long `work` takes, in milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
