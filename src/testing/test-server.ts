import { ConnectionError } from '../errors.ts';
import { parseDatabaseUrl } from '../settings/database-url.ts';
import {
  allocateDatabase,
  coordinatesVariable,
  sharedCoordinates,
  type ServerCoordinates,
} from './allocate-database.ts';
import { startTestServer, requestedMajor } from './start-test-server.ts';
import type { RunningServer } from './running-server.ts';
import { TestDatabase } from './test-database.ts';
import { TestRun } from './test-run.ts';

/**
 * The PostgreSQL server of one run of a test suite, with a migrated template that each test file gets a copy of. It works with any test
 * runner that has a global set-up, whose environment the other processes inherit. With vitest, name this file in `test.globalSetup`:
 *
 * ```ts
 * import { TestServer } from 'synth-lab-data/testing';
 *
 * export default async function () {
 *   const server = await TestServer.start();
 *   return () => server.stop();
 * }
 * ```
 *
 * With Jest, `globalSetup` starts it and `globalTeardown` stops it; with Node's test runner, `globalSetup` and `globalTeardown` of the
 * file of `--test-global-setup`. If all tests run in one process, start and stop it around them. A test file then gets a database by
 * `TestDatabase.create()`. With `TEST_POOLER_URL`, tests connect through that pooler, which serves the server in transaction mode;
 * databases are created and dropped on the server directly.
 */
export class TestServer {
  readonly kind: RunningServer['kind'];
  /** The version of PostgreSQL, such as `18.4`. */
  readonly version: string;
  /** Describes the server in one line. */
  readonly description: string;
  /** The URL of a role that may create databases. */
  readonly url: string;
  readonly #coordinates: ServerCoordinates;
  readonly #stop: (() => Promise<void>) | undefined;

  private constructor(coordinates: ServerCoordinates, stop?: () => Promise<void>) {
    this.kind = coordinates.kind;
    this.version = coordinates.version;
    this.description = coordinates.description;
    this.url = coordinates.url;
    this.#coordinates = coordinates;
    this.#stop = stop;
  }

  /**
   * Starts a server for the run and migrates its template. Call it once, in the main process of the test runner. It is, in this order: the
   * server at `TEST_DATABASE_URL`, whose role must be allowed to create databases, and where databases of killed runs are dropped; with
   * `TEST_POSTGRES=container`, a container of `POSTGRES_IMAGE` (default: `postgres:18`); an embedded server of version `PG_MAJOR`, which is
   * deleted after the run.
   *
   * @throws SettingsError, ConnectionError, EmbeddedPostgresError when the server is not available; nothing is left then.
   */
  static async start(environment: NodeJS.ProcessEnv = process.env): Promise<TestServer> {
    const major = requestedMajor(environment);
    const server = await startTestServer(environment);
    try {
      const run = await TestRun.begin(parseDatabaseUrl(server.url, 'TEST_DATABASE_URL'), major);
      const { kind, url, origin } = server;
      const { name, template, version } = run;
      const description = `PostgreSQL ${version}, ${origin}`;
      const coordinates: ServerCoordinates = { url, run: name, template, kind, version, description };
      environment[coordinatesVariable] = JSON.stringify(coordinates);
      return new TestServer(coordinates, async () => {
        delete environment[coordinatesVariable];
        try {
          await run.end();
        } finally {
          await server.stop();
        }
      });
    } catch (error) {
      await server.stop();
      if (server.kind !== 'given' || !(error instanceof ConnectionError)) throw error;
      throw new ConnectionError(`TEST_DATABASE_URL: ${error.message}`, { cause: error });
    }
  }

  /**
   * Returns the server that the main process of the run started.
   *
   * @throws SettingsError when it has started none.
   */
  static shared(environment: NodeJS.ProcessEnv = process.env): TestServer {
    return new TestServer(sharedCoordinates(environment));
  }

  /** Creates a migrated database, for one test file. */
  createDatabase(): Promise<TestDatabase> {
    return this.#create(this.#coordinates.template);
  }

  /** Creates an empty database, for tests of migrations. */
  createEmptyDatabase(): Promise<TestDatabase> {
    return this.#create('template0');
  }

  /** Drops every database of the run, and stops the server unless it was given. A no-op in other processes than the one that started it. */
  async stop(): Promise<void> {
    await this.#stop?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #create(template: string): Promise<TestDatabase> {
    const { url, drop, poolMode } = await allocateDatabase(this.#coordinates, template);
    return TestDatabase.open(url, drop, poolMode);
  }
}
