import { setTimeout } from 'node:timers/promises';
import { isNativeError } from 'node:util/types';
import type { MikroORM } from '@mikro-orm/postgresql';
import { connect } from '../postgres/orm/connect.ts';
import type { DatabaseTarget } from '../settings/database-url.ts';

const patienceMs = 20_000;

/** Makes and drops the databases of a server. */
export class Administrator {
  readonly #orm: MikroORM;

  private constructor(orm: MikroORM) {
    this.#orm = orm;
  }

  /** @throws ConnectionError */
  static async connect(server: DatabaseTarget): Promise<Administrator> {
    return new Administrator(await connect(server));
  }

  /** The rows of a query. */
  ask<Row extends object>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return this.#orm.em.getConnection().execute<Row[]>(sql, parameters);
  }

  /** A new database: a copy of `template`. Any number of copies can be made at once. */
  async create(database: string, template: string): Promise<void> {
    await this.#patiently(`create database "${database}" template "${template}"`);
  }

  /** Ends what still goes on in the database, and drops it. */
  async drop(database: string): Promise<void> {
    await this.#patiently(`drop database if exists "${database}" with (force)`);
  }

  /** Drops a database unless it is in use or already gone. */
  async dropUnlessUsed(database: string): Promise<void> {
    try {
      await this.ask(`drop database if exists "${database}"`);
    } catch (error) {
      if (!isInUse(error)) throw error;
    }
  }

  async close(): Promise<void> {
    await this.#orm.close(true);
  }

  // A session that has just ended is there for some milliseconds more, and one of the server's own (autovacuum) may come along.
  async #patiently(sql: string): Promise<void> {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      try {
        await this.ask(sql);
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
