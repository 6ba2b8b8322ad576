/* oxlint-disable vitest/no-standalone-expect -- called by tests alone */
import { expect } from 'vitest';
import { openDatabase, type Database, type OpenDatabaseOptions } from '../../src/index.ts';
import type { TestDatabase } from '../../src/testing/index.ts';
import { WireProxy } from '../proxy/wire-proxy.ts';

const applicationName = 'faults';
// Long enough for a busy machine.
const pollOptions = { timeout: 10_000, interval: 20 };

/** A service's database behind a proxy that injects faults, observed by connections that bypass the proxy. */
export class ProxiedDatabase {
  readonly proxy: WireProxy;
  readonly database: Database;
  readonly #db: TestDatabase;

  private constructor(db: TestDatabase, proxy: WireProxy, database: Database) {
    this.#db = db;
    this.proxy = proxy;
    this.database = database;
  }

  static async open(db: TestDatabase, options: OpenDatabaseOptions = {}): Promise<ProxiedDatabase> {
    const proxy = await WireProxy.start(db.target);
    const url = `${proxy.url()}&application_name=${applicationName}`;
    const proxied = new ProxiedDatabase(db, proxy, await openDatabase({ url, pool: { max: 2 }, ...options }));
    await expect.poll(() => proxied.checkedOut()).toBe(0);
    proxy.reset();
    return proxied;
  }

  /** Returns the server's processes for it, newest last. */
  async backends(): Promise<{ pid: number; state: string; query: string }[]> {
    return this.#db.orm.em.fork().execute(
      `select pid, state, query from pg_stat_activity
        where datname = current_database() and application_name = ? order by backend_start`,
      [applicationName],
    );
  }

  /** Waits until one of the server's processes for it runs a statement that matches. */
  async waitUntilRunning(statement: RegExp): Promise<void> {
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

  /** Waits until the client has detected the loss of its connections, and the pool has their slots back. */
  async waitUntilReleased(): Promise<void> {
    await expect.poll(() => this.checkedOut(), pollOptions).toBe(0);
  }

  /** Returns the number of connections that units of work hold. */
  async checkedOut(): Promise<number> {
    const { totalCount, idleCount } = await this.#pool();
    return totalCount - idleCount;
  }

  /** Checks that the next unit of work succeeds, nothing holds or waits for a connection, and the server has no more than the pool. */
  async expectRecovered(): Promise<void> {
    expect(await this.database.transact(({ em }) => em.execute('select 1 as one'))).toEqual([{ one: 1 }]);
    expect(await this.checkedOut()).toBe(0);
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

/** Runs `work`, and throws when it takes longer than `milliseconds`. */
export async function within(milliseconds: number, work: () => Promise<unknown>): Promise<void> {
  const took = await durationOf(work);
  if (took > milliseconds) throw new Error(`it took ${took} ms`);
}

/** Returns the duration of `work` in milliseconds. */
export async function durationOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
