import { ConnectionError } from '../errors.ts';
import { parseDatabaseUrl } from '../settings/database-url.ts';
import { createOnServer } from './create-on-server.ts';
import { coordinatesVariable, sharedCoordinates, type Coordinates } from './coordinates.ts';
import { runServer, wantedMajor } from './run-server.ts';
import type { RunningServer } from './running-server.ts';
import { TestDatabase } from './test-database.ts';
import { TestRun } from './test-run.ts';

/**
 * The PostgreSQL server of one run of a test suite, with a migrated template that each test file gets a copy of. Any test runner can
 * use it that has a global set-up, from which its other processes inherit the environment. With vitest, name this file in
 * `test.globalSetup`:
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
 * With Jest, `globalSetup` starts it and `globalTeardown` stops it; with Node's own runner, `globalSetup` and `globalTeardown` of the
 * file that `--test-global-setup` names. Where all tests are in one process, start and stop it around them. A test file then has
 * a database by `TestDatabase.create()`. It is reached through the pooler at `TEST_POOLER_URL` if that is set, which stands before
 * the server in transaction mode; databases are made and dropped past it.
 */
export class TestServer {
  readonly kind: RunningServer['kind'];
  /** PostgreSQL's, such as `18.4`. */
  readonly version: string;
  /** One line on what the tests run on. */
  readonly description: string;
  /** As a role that may create databases. */
  readonly url: string;
  readonly #coordinates: Coordinates;
  readonly #stop: (() => Promise<void>) | undefined;

  private constructor(coordinates: Coordinates, stop?: () => Promise<void>) {
    this.kind = coordinates.kind;
    this.version = coordinates.version;
    this.description = coordinates.description;
    this.url = coordinates.url;
    this.#coordinates = coordinates;
    this.#stop = stop;
  }

  /**
   * Starts a server for the run and migrates its template; to be called once, by the runner's main process. It is the server at
   * `TEST_DATABASE_URL` if that is set, where the role must be allowed to create databases and what killed runs left is dropped;
   * with `TEST_POSTGRES=container` one in a container of `POSTGRES_IMAGE`, by default `postgres:18`; else an embedded one that is
   * gone with the run, of the version that `PG_MAJOR` names.
   *
   * @throws SettingsError, ConnectionError or EmbeddedPostgresError, when there is no such server; nothing stays behind.
   */
  static async start(environment: NodeJS.ProcessEnv = process.env): Promise<TestServer> {
    const major = wantedMajor(environment);
    const server = await runServer(environment);
    try {
      const run = await TestRun.begin(parseDatabaseUrl(server.url, 'TEST_DATABASE_URL'), major);
      const { kind, url, origin } = server;
      const { name, template, version } = run;
      const description = `PostgreSQL ${version}, ${origin}`;
      const coordinates: Coordinates = { url, run: name, template, kind, version, description };
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

  /** The server that the run's main process started. */
  static shared(environment: NodeJS.ProcessEnv = process.env): TestServer {
    return new TestServer(sharedCoordinates(environment));
  }

  /** A migrated database, for one test file. */
  createDatabase(): Promise<TestDatabase> {
    return this.#create();
  }

  /** A database with nothing in it, for what tests migrations. */
  createEmptyDatabase(): Promise<TestDatabase> {
    return this.#create('template0');
  }

  /** Drops every database of the run, and stops the server unless it was given. Only for whoever started it. */
  async stop(): Promise<void> {
    await this.#stop?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #create(template?: string): Promise<TestDatabase> {
    const { url, drop, poolMode } = await createOnServer(this.#coordinates, template);
    return TestDatabase.open(url, drop, poolMode);
  }
}
