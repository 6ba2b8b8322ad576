import { randomBytes } from 'node:crypto';
import { ConnectionError, SettingsError } from '../errors.ts';
import { parseDatabaseUrl } from '../settings/database-url.ts';
import { Administrator } from './administrator.ts';
import { runServer, wantedMajor } from './run-server.ts';
import type { RunningServer } from './running-server.ts';
import { TestDatabase } from './test-database.ts';
import { TestRun } from './test-run.ts';

// How the process that starts the server tells the others of the run about it.
const variable = 'SYNTHDB_TEST_SERVER';
const poolerVariable = 'TEST_POOLER_URL';

/** What the other processes of a run are told. */
interface Coordinates {
  readonly url: string;
  readonly run: string;
  readonly template: string;
  readonly kind: RunningServer['kind'];
  readonly version: string;
  readonly description: string;
}

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
  readonly #run: string;
  readonly #template: string;
  readonly #stop: (() => Promise<void>) | undefined;

  private constructor(coordinates: Coordinates, stop?: () => Promise<void>) {
    this.kind = coordinates.kind;
    this.version = coordinates.version;
    this.description = coordinates.description;
    this.url = coordinates.url;
    this.#run = coordinates.run;
    this.#template = coordinates.template;
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
      environment[variable] = JSON.stringify(coordinates);
      return new TestServer(coordinates, async () => {
        delete environment[variable];
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
    const coordinates = environment[variable];
    if (coordinates === undefined)
      throw new SettingsError(
        'no test server: call TestServer.start() in the global set-up of your test runner',
      );
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Written by `start` alone.
    return new TestServer(JSON.parse(coordinates) as Coordinates);
  }

  /** A migrated database, for one test file. */
  createDatabase(): Promise<TestDatabase> {
    return this.#create(this.#template);
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

  async #create(template: string): Promise<TestDatabase> {
    const name = `${this.#run}_${randomBytes(6).toString('hex')}`;
    await using administrator = await this.#administrator();
    await administrator.create(name, template);
    const pooler = process.env[poolerVariable];
    const url = new URL(pooler || this.url);
    url.pathname = name;
    return TestDatabase.open(url.href, () => this.#drop(name), pooler ? 'transaction' : 'session');
  }

  async #drop(name: string): Promise<void> {
    await using administrator = await this.#administrator();
    await administrator.drop(name);
  }

  #administrator(): Promise<Administrator> {
    return Administrator.connect(parseDatabaseUrl(this.url, variable));
  }
}
