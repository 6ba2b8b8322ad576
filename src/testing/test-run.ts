import { randomBytes } from 'node:crypto';
import { connect } from '../database/connect.ts';
import { SettingsError } from '../errors.ts';
import { Migrator } from '../migrator/index.ts';
import { DatabaseTarget } from '../settings/database-url.ts';
import { Administrator } from './administrator.ts';

const prefix = 'synthdb_test_';
const runOf = (database: string) => database.slice(0, prefix.length + 8);

/**
 * One run of a test suite, on a server that other runs may use at the same time. Its name begins the names of its databases, and is
 * that of a session which it keeps open: databases whose run has no session were left by one that was killed.
 */
export class TestRun {
  readonly name: string;
  readonly template: string;
  /** The server's version, such as `18.4`. */
  readonly version: string;
  readonly #administrator: Administrator;
  readonly #release: () => Promise<void>;

  private constructor(name: string, version: string, administrator: Administrator) {
    this.name = name;
    this.template = `${name}_template`;
    this.version = version;
    this.#administrator = administrator;
    this.#release = administrator.hold();
  }

  /**
   * Clears away what killed runs left, and makes the migrated template.
   *
   * @throws ConnectionError; SettingsError when the role may not create databases, or the server is not of the wanted major.
   */
  static async begin(server: DatabaseTarget, major: number | undefined): Promise<TestRun> {
    const name = prefix + randomBytes(4).toString('hex');
    const administrator = await Administrator.connect(
      new DatabaseTarget({ ...server.parts, applicationName: name }),
    );
    let run: TestRun | undefined;
    try {
      run = new TestRun(name, await usableVersion(administrator, server, major), administrator);
      await run.#dropLeftovers();
      await run.#makeTemplate(server);
      return run;
    } catch (error) {
      await (run ? run.end() : administrator.close());
      throw error;
    }
  }

  /** Drops the databases of this run, also those that were not given back. */
  async end(): Promise<void> {
    for (const database of await this.#databases()) {
      if (runOf(database) === this.name) await this.#administrator.drop(database);
    }
    await this.#release();
    await this.#administrator.close();
  }

  async #makeTemplate(server: DatabaseTarget): Promise<void> {
    await this.#administrator.create(this.template, 'template0');
    const orm = await connect(server.withDatabase(this.template));
    try {
      await new Migrator(orm).up();
    } finally {
      await orm.close(true);
    }
    // Whoever connected to it would keep the others from copying it.
    await this.#administrator.ask(`alter database "${this.template}" allow_connections false`);
  }

  // Runs that go on keep theirs, and so does whatever is in use all the same.
  async #dropLeftovers(): Promise<void> {
    const databases = await this.#databases();
    // Asked second, since a run opens its session before it makes a database.
    const sessions = await this.#administrator.ask<{ name: string; database: string | null }>(
      'select application_name as name, datname as database from pg_stat_activity',
    );
    const kept = (database: string) =>
      sessions.some((session) => session.database === database || session.name === runOf(database));
    for (const database of databases) {
      if (!kept(database)) await this.#administrator.dropUnlessUsed(database);
    }
  }

  async #databases(): Promise<string[]> {
    const found = await this.#administrator.ask<{ name: string }>(
      'select datname as name from pg_database where datname ~ ? and datdba = current_user::regrole',
      [`^${prefix}[0-9a-f]{8}_([0-9a-f]{12}|template)$`],
    );
    return found.map(({ name }) => name);
  }
}

async function usableVersion(
  administrator: Administrator,
  server: DatabaseTarget,
  major: number | undefined,
): Promise<string> {
  const [{ version, may } = { version: '', may: false }] = await administrator.ask<{
    version: string;
    may: boolean;
  }>(
    `select split_part(current_setting('server_version'), ' ', 1) as version, rolcreatedb or rolsuper as may
     from pg_roles where rolname = current_user`,
  );
  if (!may) {
    throw new SettingsError(
      `TEST_DATABASE_URL: ${server.label}: the role may not create databases; ` +
        `let it (alter role "${server.parts.user}" createdb), or name another role`,
    );
  }
  if (major !== undefined && major !== Number.parseInt(version, 10)) {
    throw new SettingsError(
      `PG_MAJOR is ${major}, but the tests would run on PostgreSQL ${version} (${server.label}): leave out one of the two`,
    );
  }
  return version;
}
