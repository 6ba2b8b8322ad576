import { randomBytes } from 'node:crypto';
import { connect } from '../database/connect.ts';
import { migrateUp } from '../migrator/index.ts';
import { parseDatabaseUrl, type DatabaseTarget } from '../settings/database-url.ts';
import { TestDatabase } from './test-database.ts';

// How a runner's main process tells its workers which server to use.
const variable = 'SYNTHDB_TEST_SERVER';

interface Coordinates {
  readonly url: string;
  readonly template: string;
}

/** A PostgreSQL server for one run of a test suite, with a migrated template that each test file gets a copy of. */
export class TestServer {
  readonly #target: DatabaseTarget;
  readonly #template: string;

  private constructor({ url, template }: Coordinates) {
    this.#target = parseDatabaseUrl(url, variable);
    this.#template = template;
  }

  /**
   * Starts the suite's server and migrates the template. Call it once, in the runner's global set-up; its workers then find it by
   * `TestServer.shared()`. The server is `TEST_DATABASE_URL`.
   */
  static async start(): Promise<TestServer> {
    const url = process.env.TEST_DATABASE_URL;
    if (url === undefined)
      throw new Error('set TEST_DATABASE_URL to a server on which the tests may create databases');
    const coordinates = { url, template: `synthdb_template_${randomBytes(4).toString('hex')}` };
    const server = new TestServer(coordinates);
    await server.#maintain(`create database "${coordinates.template}"`);
    const orm = await connect(server.#target.withDatabase(coordinates.template));
    await migrateUp(orm);
    await orm.close(true);
    process.env[variable] = JSON.stringify(coordinates);
    return server;
  }

  /** The server that the runner's main process started. */
  static shared(): TestServer {
    const coordinates = process.env[variable];
    if (coordinates === undefined)
      throw new Error('no test server: call TestServer.start() in the global set-up of your test runner');
    // Written by `start` alone.
    return new TestServer(JSON.parse(coordinates) as Coordinates);
  }

  /** A migrated database of its own for one test file. */
  createDatabase(): Promise<TestDatabase> {
    return this.#create(`template "${this.#template}"`);
  }

  /** A database with nothing in it, for what tests migrations. */
  createEmptyDatabase(): Promise<TestDatabase> {
    return this.#create('template template0');
  }

  async stop(): Promise<void> {
    await this.#maintain(`drop database if exists "${this.#template}" with (force)`);
  }

  async #create(from: string): Promise<TestDatabase> {
    const name = `synthdb_test_${randomBytes(6).toString('hex')}`;
    await this.#maintain(`create database "${name}" ${from}`);
    return TestDatabase.open(this.#target.withDatabase(name), () =>
      this.#maintain(`drop database "${name}" with (force)`),
    );
  }

  async #maintain(sql: string): Promise<void> {
    const orm = await connect(this.#target, { max: 1 });
    try {
      await orm.em.getConnection().execute(sql);
    } finally {
      await orm.close(true);
    }
  }
}
