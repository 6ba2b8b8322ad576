import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { MikroORM, type Options } from '@mikro-orm/postgresql';
import { Migrator, type MigratorOptions } from 'mikro-orm-safe-migrations';
import { Client } from 'pg';
import { onTestFinished } from 'vitest';
import { projectOn, type Migrations } from '../project.ts';
import { runServer, targetOf, type Target } from './server.ts';

/** A database for one test or file. */
export class TestDatabase implements AsyncDisposable {
  readonly url: string;
  readonly target: Target;
  /** An ORM without entities or migrations, to look at the database. */
  readonly orm: MikroORM;

  private constructor(url: string) {
    this.url = url;
    this.target = targetOf(url);
    this.orm = new MikroORM({
      clientUrl: url,
      entities: [],
      discovery: { warnWhenNoEntities: false },
      logger: () => {},
      // By this name tests distinguish their own sessions from those of the code under test.
      driverOptions: { application_name: 'test' },
    });
  }

  /** Creates a database on a server, by default an empty one on that of the run. No session may be connected to the `template`. */
  static async create(server = runServer(), template = 'template0'): Promise<TestDatabase> {
    const name = `${server.prefix}_${randomBytes(6).toString('hex')}`;
    await onServer(server.url, `create database "${name}" template "${template}"`);
    const url = new URL(server.url);
    url.pathname = name;
    return new TestDatabase(url.href);
  }

  /** Drops the database, and terminates its connections. */
  async drop(): Promise<void> {
    const closed = Promise.allSettled([this.orm.close(true)]);
    await onServer(this.url, `drop database if exists "${this.target.parts.database}" with (force)`);
    // The pool would wait for connections that are never released.
    await Promise.race([closed, setTimeout(200)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drop();
  }
}

async function onServer(url: string, sql: string): Promise<void> {
  const server = new URL(url);
  server.pathname = 'postgres';
  const client = new Client(server.href);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** Creates an empty database that is dropped after the test. */
export async function emptyDatabase(): Promise<TestDatabase> {
  const db = await TestDatabase.create();
  onTestFinished(() => db.drop());
  return db;
}

/** Returns the ORM of a project on a test's database, closed after the test. */
export function ormOn(
  { url }: { readonly url: string },
  migrations: Migrations,
  options?: Options,
): MikroORM {
  const orm = projectOn(url, migrations, options);
  onTestFinished(() => orm.close(true));
  return orm;
}

/** Returns the migrator of a project on a test's database. */
export function migratorOn(
  db: { readonly url: string },
  migrations: Migrations,
  options?: MigratorOptions,
): Migrator {
  return new Migrator(ormOn(db, migrations), options);
}
