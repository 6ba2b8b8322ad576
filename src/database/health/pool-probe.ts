import type { MikroORM } from '@mikro-orm/postgresql';
import type { PoolClient } from 'pg';
import { Connections } from '../../postgres/client/connections.ts';
import { Probe } from '../../postgres/client/probe.ts';
import { TxClient } from '../../postgres/client/tx-client.ts';
import type { PoolHealth } from './database-health.ts';

/** The answer of the server on a connection of the pool. */
export interface PoolAnswer {
  /** Milliseconds, including the wait for a connection. */
  readonly latency: number;
  /** Whether it is a standby, which refuses writes, although `target_session_attrs` does not accept one. */
  readonly isUnexpectedStandby: boolean;
}

/** Checks the server through the pool, as a unit of work does. */
export class PoolProbe {
  readonly #orm: MikroORM;
  readonly #answer: Probe<PoolAnswer>;
  #isQueued = false;
  #client: PoolClient | undefined;

  constructor(orm: MikroORM) {
    this.#orm = orm;
    this.#answer = new Probe(() => this.#query());
  }

  /**
   * Checks the pool, or returns the result of the check that is running.
   *
   * @throws NoAnswerError after `timeout` milliseconds; the error of the pool or the driver.
   */
  check(timeout: number): Promise<PoolAnswer> {
    return this.#answer.run(timeout);
  }

  /** Returns the usage of the pool, without this probe's own place in the queue. */
  async usage(): Promise<PoolHealth> {
    const pool = await this.#orm.em.getConnection().getNativeClient();
    return {
      max: pool.options.max,
      total: pool.totalCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount - (this.#isQueued ? 1 : 0),
    };
  }

  /** Drops the connection of a running check. */
  end(): void {
    if (this.#client instanceof TxClient) this.#client.drop(new Error('Connection terminated'));
  }

  async #query(): Promise<PoolAnswer> {
    const pool = await this.#orm.em.getConnection().getNativeClient();
    const begun = performance.now();
    await Connections.of(this.#orm).processCloseEvents();
    const before = pool.waitingCount;
    const connecting = pool.connect();
    this.#isQueued = pool.waitingCount > before;
    const client = await connecting.finally(() => (this.#isQueued = false));
    this.#client = client;
    try {
      const { rows } = await client.query<{ standby: boolean }>('select pg_is_in_recovery() as standby');
      client.release();
      const latency = performance.now() - begun;
      const isStandby = rows[0]?.standby ?? false;
      return { latency, isUnexpectedStandby: isStandby && !Connections.of(this.#orm).mayBeStandby };
    } catch (error) {
      client.release(true);
      throw error;
    } finally {
      this.#client = undefined;
    }
  }
}
