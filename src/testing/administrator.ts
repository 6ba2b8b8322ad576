import { setTimeout } from 'node:timers/promises';
import { isNativeError } from 'node:util/types';
import type { MikroORM } from '@mikro-orm/postgresql';
import { connect } from '../postgres/orm/connect.ts';
import type { DatabaseTarget } from '../settings/database-url.ts';

const retryTimeoutMs = 20_000;

/** Creates and drops databases of a server. */
export class Administrator {
  readonly #orm: MikroORM;

  private constructor(orm: MikroORM) {
    this.#orm = orm;
  }

  /**
   * Connects to a server.
   *
   * @throws ConnectionError
   */
  static async connect(server: DatabaseTarget): Promise<Administrator> {
    return new Administrator(await connect(server));
  }

  /** Returns the rows of a query. */
  query<Row extends object>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return this.#orm.em.getConnection().execute<Row[]>(sql, parameters);
  }

  /** Creates a database as a copy of `template`. Any number of copies can be created concurrently. */
  async create(database: string, template: string): Promise<void> {
    await this.#retryWhileInUse(`create database "${database}" template "${template}"`);
  }

  /** Drops a database, and terminates its sessions. */
  async drop(database: string): Promise<void> {
    await this.#retryWhileInUse(`drop database if exists "${database}" with (force)`);
  }

  /** Drops a database unless it is in use; a no-op when it does not exist. */
  async dropUnlessUsed(database: string): Promise<void> {
    try {
      await this.query(`drop database if exists "${database}"`);
    } catch (error) {
      if (!isInUse(error)) throw error;
    }
  }

  async close(): Promise<void> {
    await this.#orm.close(true);
  }

  // A session that has just ended remains for some milliseconds, and autovacuum may be running.
  async #retryWhileInUse(sql: string): Promise<void> {
    const deadline = Date.now() + retryTimeoutMs;
    for (;;) {
      try {
        await this.query(sql);
        return;
      } catch (error) {
        if (!isInUse(error) || Date.now() > deadline) throw error;
        await setTimeout(50 + Math.random() * 100);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function isInUse(error: unknown): boolean {
  return isNativeError(error) && 'code' in error && error.code === '55006';
}
