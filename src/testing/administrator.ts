import { setTimeout } from 'node:timers/promises';
import { isNativeError } from 'node:util/types';
import type { MikroORM } from '@mikro-orm/postgresql';
import { connect } from '../postgres/orm/connect.ts';
import type { DatabaseTarget } from '../settings/database-url.ts';

const retryTimeoutMs = 20_000;

/** Creates and drops databases of a server. */
export class Administrator {
  readonly #orm: MikroORM;
  #strategy: string | undefined;

  private constructor(orm: MikroORM) {
    this.#orm = orm;
  }

  /**
   * Connects to a server.
   *
   * @throws ConnectionError
   */
  static async connect(server: DatabaseTarget): Promise<Administrator> {
    return new Administrator(await connect(server, { entities: false }));
  }

  /** Returns the rows of a query. */
  query<Row extends object>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return this.#orm.em.getConnection().execute<Row[]>(sql, parameters);
  }

  /** Creates a database as a copy of `template`. Any number of copies can be created concurrently. */
  async create(database: string, template: string): Promise<void> {
    this.#strategy ??= await this.#copyStrategy();
    await this.#retryWhileInUse(`create database "${database}" template "${template}"${this.#strategy}`);
  }

  /**
   * Returns the option that copies files on a server without durability. Since PostgreSQL 15, the default writes every block to the log instead,
   * which takes several times the CPU time there. PostgreSQL 14 always copies files.
   */
  async #copyStrategy(): Promise<string> {
    const [{ copies } = { copies: false }] = await this.query<{ copies: boolean }>(
      `select current_setting('server_version_num')::int >= 150000 and not current_setting('fsync')::boolean as copies`,
    );
    return copies ? ' strategy file_copy' : '';
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
