import { MikroORM } from '@mikro-orm/postgresql';
import { dropDatabase } from '../catalog/drop-database.ts';
import type { Session } from '../session/session.ts';

/**
 * A copy of a scratch database, on the server that has it. Another copy is made only when the last one was discarded: copying takes longer
 * than all the rest of a migration.
 */
export class Workspace {
  readonly #server: Session;
  readonly #scratch: MikroORM;
  readonly #name: string;
  readonly #purpose: string;
  readonly #strategy: string;
  #open: { readonly orm: MikroORM; readonly name: string } | null = null;
  #count = 0;

  private constructor(
    server: Session,
    scratch: MikroORM,
    { purpose, strategy }: { readonly purpose: string; readonly strategy: string },
  ) {
    this.#server = server;
    this.#scratch = scratch;
    this.#name = scratch.config.get('dbName') ?? '';
    this.#purpose = purpose;
    this.#strategy = strategy;
  }

  /** @param purpose distinguishes the names of its copies from those of another workspace. */
  static async of(server: Session, scratch: MikroORM, purpose = ''): Promise<Workspace> {
    const [row] = await server.query<{ version: number }>(
      `select current_setting('server_version_num')::int as version`,
    );
    // Before 15 there is no other strategy.
    return new Workspace(server, scratch, {
      purpose,
      strategy: (row?.version ?? 0) >= 150_000 ? 'strategy file_copy' : '',
    });
  }

  /** Returns the copy; after `discard`, a new one of the scratch database as it is now. */
  async open(): Promise<MikroORM> {
    if (this.#open) return this.#open.orm;
    const name = `${this.#name}_${this.#purpose}${++this.#count}`;
    // A template must have no connections. The pool opens others later.
    await this.#server.query(
      'select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1 and backend_type = $2',
      [this.#name, 'client backend'],
    );
    await this.#server.query(`create database "${name}" template "${this.#name}" ${this.#strategy}`);
    try {
      const orm = await MikroORM.init(optionsFor(this.#scratch, name));
      this.#open = { orm, name };
      return orm;
    } catch (error) {
      await this.#drop(name);
      throw error;
    }
  }

  /** Drops the copy; the next one is made anew. */
  async discard(): Promise<void> {
    const found = this.#open;
    this.#open = null;
    if (!found) return;
    try {
      await found.orm.close(true);
    } finally {
      await this.#drop(found.name);
    }
  }

  async #drop(name: string): Promise<void> {
    await dropDatabase(this.#server, name);
  }
}

// The guard of the scratch database's connections is among its options.
function optionsFor(scratch: MikroORM, name: string) {
  const options = scratch.config.getAll();
  const { driverOptions } = options;
  if (typeof driverOptions !== 'object' || driverOptions === null || !('connectionString' in driverOptions))
    return { ...options, dbName: name };
  const url = new URL(String(driverOptions.connectionString));
  url.pathname = name;
  return { ...options, dbName: name, driverOptions: { ...driverOptions, connectionString: url.href } };
}
