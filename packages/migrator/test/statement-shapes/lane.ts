import { execFile, spawnSync } from 'node:child_process';
import { Migrator, MigratorError } from 'mikro-orm-safe-migrations';
import { Client } from 'pg';
import { TestDatabase } from '../kit/database.ts';
import type { RunServer } from '../kit/server.ts';
import { projectOn, type Migrations } from '../project.ts';
import { standalone } from '../../src/files/standalone.ts';
import { difference, FactReader, type Facts } from './effect.ts';
import type { Mode, Shape } from './shape.ts';

/** Why no statement can be compared with psql here, for a skipped test; null when it can. */
export const whyNoPsql = spawnSync('psql', ['--version']).error
  ? 'needs psql: apt-get install postgresql-client'
  : null;

/** Who sends the statements. */
export type Sender = 'psql' | `the ORM, ${'transactional' | 'not transactional'}` | Mode;

/** What became of a statement. */
export interface Result {
  /** The SQLSTATE by psql; the error's text by a migrator; null for a success. */
  readonly failure: string | null;
  /** The code of the migrator's error. */
  readonly code: string | null;
  /** The facts that it added and removed. */
  readonly effect: readonly string[];
}

/** A database, to which one sender sends the shapes of a group one after the other. */
export class Lane implements AsyncDisposable {
  readonly #server: RunServer;
  readonly #db: TestDatabase;
  readonly #client: Client;
  readonly #sender: Sender;
  readonly #reader: FactReader;
  #applied: Migrations = {};
  /** Those that are applied, and the last one. */
  #sent: Migrations = {};
  #count = 0;
  /** The facts before the last statement. */
  #before: Facts = new Set();
  /** The facts after the last statement; null where something else was changed since. */
  #facts: Facts | null = null;

  private constructor(
    server: RunServer,
    db: TestDatabase,
    client: Client,
    sender: Sender,
    reader: FactReader,
  ) {
    this.#server = server;
    this.#db = db;
    this.#client = client;
    this.#sender = sender;
    this.#reader = reader;
  }

  static async open(
    server: RunServer,
    sender: Sender,
    shapes: readonly Shape[],
    printed: boolean,
  ): Promise<Lane> {
    const db = await TestDatabase.create(server);
    const client = new Client({ connectionString: db.url, application_name: 'test' });
    await client.connect();
    const lane = new Lane(server, db, client, sender, await FactReader.open(client, db.orm, printed));
    for (const { prepare = [] } of shapes) for (const sql of prepare) await client.query(lane.#named(sql));
    // A log with migrations in a database without tables looks as after a dropped schema.
    await client.query('create table project ()');
    if (sender !== 'psql') await lane.#migrate(lane.#nextName(), 'select 1');
    return lane;
  }

  async send({ sql, inTransaction = false }: Shape): Promise<Result> {
    const before = this.#facts ?? (await this.#reader.read());
    this.#before = before;
    const text = this.#named(sql);
    const name = this.#nextName();
    const failure =
      this.#sender === 'psql'
        ? await this.#psql(text, inTransaction)
        : await this.#migrate(name, this.#sender === 'standalone' ? standalone(text) : text);
    const after = await this.#reader.read();
    this.#facts = after;
    return {
      failure: failure?.message ?? null,
      code: failure?.code ?? null,
      effect: difference(before, after),
    };
  }

  /**
   * Returns the state of the migrator's tables: whether the log lists exactly the migrations that succeeded, the outcome of the last one,
   * whether the lease is free, and how many statements are unfinished.
   */
  async records(): Promise<{ complete: boolean; last: string; leaseFree: boolean; unfinished: number }> {
    const { rows } = await this.#client.query<{
      log: string[];
      last: string;
      free: boolean;
      unfinished: number;
    }>(
      `select (select array_agg(name::text order by id) from mikro_orm_migrations) as log,
         (select outcome from migrator.history order by id desc limit 1) as last,
         (select expires_at < now() and migration is null and backends = '[]' from migrator.lease) as free,
         (select count(*)::int from migrator.progress) as unfinished`,
    );
    const [row] = rows;
    const names = Object.keys(this.#applied);
    return {
      complete: JSON.stringify(row?.log) === JSON.stringify(names),
      last: row?.last ?? '',
      leaseFree: row?.free ?? false,
      unfinished: row?.unfinished ?? 0,
    };
  }

  /** Removes what a shape left that concerns later ones. */
  async undo({ undo = [] }: Shape): Promise<void> {
    for (const statement of undo) await this.#client.query(this.#named(statement));
    if (undo.length > 0) this.#facts = null;
  }

  /** Returns what the last statement has added and removed, and is still so. */
  async remaining(): Promise<string[]> {
    return difference(this.#before, await this.#reader.read());
  }

  /** Applies a plain migration. Returns why that fails; null for a success. */
  async follow(): Promise<string | null> {
    this.#facts = null;
    const name = this.#nextName();
    return (await this.#migrate(name, `create type "${name}" as ()`))?.message ?? null;
  }

  /** Forgets the migration that failed last, as its author does who will remove it. */
  async abandon(): Promise<void> {
    const { rows } = await this.#client.query<{ name: string }>('select name from migrator.progress');
    for (const { name } of rows) {
      const orm = projectOn(this.#db.url, this.#sent);
      await new Migrator(orm).repair({ action: 'abandon', name, reason: 'its statement fails' });
      await orm.close(true);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const database = this.#db.target.parts.database;
    await this.#client.end();
    const admin = new Client(this.#server.url);
    await admin.connect();
    const inDatabase = new Client(this.#db.url);
    await inDatabase.connect();
    // They would keep the database in use.
    await executeAll(
      inDatabase,
      `select format('rollback prepared %L', gid) as sql from pg_prepared_xacts where database = current_database()
       union all select format('drop subscription %I', subname) from pg_subscription
         where subdbid = (select oid from pg_database where datname = current_database())`,
    );
    await inDatabase.end();
    await this.#db.drop();
    await executeAll(
      admin,
      `select format('drop database %I with (force)', datname) as sql from pg_database where datname like '${database}%'
       union all select format('drop tablespace %I', spcname) from pg_tablespace where spcname like '${database}%'
       union all select format('select pg_drop_replication_slot(%L)', slot_name) from pg_replication_slots where slot_name like '${database}%'
       union all select format('drop role %I', rolname) from pg_roles where rolname like '${database}%'`,
    );
    await admin.end();
  }

  #named(sql: string): string {
    return sql.replaceAll('{db}', this.#db.target.parts.database);
  }

  #nextName(): string {
    return `M${String(++this.#count).padStart(3, '0')}`;
  }

  async #migrate(name: string, sql: string): Promise<{ message: string; code: string | null } | null> {
    const transactional = this.#sender === 'transactional' || this.#sender === 'the ORM, transactional';
    const migrations = { ...this.#applied, [name]: { up: [sql], transactional } };
    this.#sent = migrations;
    const orm = projectOn(this.#db.url, migrations);
    try {
      await (this.#sender.startsWith('the ORM')
        ? orm.migrator.up()
        : new Migrator(orm, { lockRetry: 2_000 }).up());
      this.#applied = migrations;
      return null;
    } catch (error) {
      return { message: String(error), code: error instanceof MigratorError ? error.code : null };
    } finally {
      await orm.close(true);
    }
  }

  async #psql(sql: string, inTransaction: boolean): Promise<{ message: string; code: null } | null> {
    const options = ['--no-psqlrc', '--quiet', ...(inTransaction ? ['--single-transaction'] : [])];
    const variables = ['ON_ERROR_STOP=1', 'VERBOSITY=sqlstate'].flatMap((one) => ['--variable', one]);
    return new Promise((resolve, reject) => {
      const child = execFile(
        'psql',
        [...options, ...variables, '--output', '/dev/null', '--file', '-', this.#db.url],
        (error, _, messages) => {
          const [, state] = /(?:ERROR|FATAL): +([0-9A-Z]{5})/.exec(messages) ?? [];
          if (state !== undefined) resolve({ message: state, code: null });
          else if (error) reject(error);
          else resolve(null);
        },
      );
      child.stdin?.end(`${sql}\n;\n`);
    });
  }
}

/** Executes the statements that a query returns. */
async function executeAll(client: Client, query: string): Promise<void> {
  const { rows } = await client.query<{ sql: string }>(query);
  for (const { sql } of rows) await client.query(sql);
}
