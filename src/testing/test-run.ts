import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { connect } from '../postgres/orm/connect.ts';
import { SettingsError } from '../errors.ts';
import { Migrator } from 'mikro-orm-safe-migrations';
import type { DatabaseTarget } from '../settings/database-url.ts';
import { Administrator } from './administrator.ts';
import { LivenessSession, reopenTimeoutMs } from './liveness-session.ts';

const prefix = 'synthdb_test_';

/**
 * One run of a test suite, on a server that other runs may use concurrently, also from other hosts. Its name is the prefix of its databases
 * and the name of its session: databases without a session were left by a killed run.
 */
export class TestRun {
  readonly name: string;
  readonly template: string;
  /** The version of PostgreSQL, such as `18.4`. */
  readonly version: string;
  readonly #administrator: Administrator;
  readonly #session: LivenessSession;

  private constructor(name: string, version: string, administrator: Administrator, session: LivenessSession) {
    this.name = name;
    this.template = `${name}_template`;
    this.version = version;
    this.#administrator = administrator;
    this.#session = session;
  }

  /**
   * Drops databases of killed runs, and creates the migrated template.
   *
   * @throws ConnectionError when the server can't be reached.
   * @throws SettingsError when the role may not create databases, or the server has another major version than requested.
   */
  static async begin(server: DatabaseTarget, major: number | undefined): Promise<TestRun> {
    const name = prefix + randomBytes(4).toString('hex');
    const administrator = await Administrator.connect(server);
    let run: TestRun | undefined;
    try {
      const version = await usableVersion(administrator, server, major);
      // Opened before the first database, which another run would otherwise drop.
      const session = await LivenessSession.open(server, name);
      run = new TestRun(name, version, administrator, session);
      await run.#dropLeftovers();
      await run.#createTemplate(server);
      return run;
    } catch (error) {
      await (run ? run.end() : administrator.close());
      throw error;
    }
  }

  /** Drops all databases of this run. */
  async end(): Promise<void> {
    for (const database of await this.#databases()) {
      if (database.startsWith(this.name)) await this.#administrator.drop(database);
    }
    await this.#session.close();
    await this.#administrator.close();
  }

  async #createTemplate(server: DatabaseTarget): Promise<void> {
    await this.#administrator.create(this.template, 'template0');
    const orm = await connect(server.withDatabase(this.template));
    try {
      await new Migrator(orm).up();
    } finally {
      await orm.close(true);
    }
    // A template that has a connection can't be copied.
    await this.#administrator.query(`alter database "${this.template}" allow_connections false`);
  }

  /** Drops the databases of ended runs, except those in use. */
  async #dropLeftovers(): Promise<void> {
    const left = await this.#leftovers();
    if (left.length === 0) return;
    // The server may have just restarted, or terminated the session of a live run, which reopens it.
    await setTimeout(reopenTimeoutMs);
    const still = new Set(await this.#leftovers());
    for (const database of left) {
      if (still.has(database)) await this.#administrator.dropUnlessUsed(database);
    }
  }

  /** Returns the databases of runs without a session on the server. */
  #leftovers(): Promise<string[]> {
    return this.#databases(
      `not exists (
         select from pg_stat_activity as session
         where session.datname = database.datname
            or session.application_name = left(database.datname, ${prefix.length + 8})
       )`,
    );
  }

  async #databases(condition = 'true'): Promise<string[]> {
    const found = await this.#administrator.query<{ name: string }>(
      `select datname as name from pg_database as database
       where datname ~ ? and datdba = current_user::regrole and ${condition}`,
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
  const [{ version, may } = { version: '', may: false }] = await administrator.query<{
    version: string;
    may: boolean;
  }>(
    `select split_part(current_setting('server_version'), ' ', 1) as version, rolcreatedb or rolsuper as may
     from pg_roles where rolname = current_user`,
  );
  if (!may) {
    throw new SettingsError(
      `TEST_DATABASE_URL: ${server.label}: the role may not create databases; ` +
        `run: alter role "${server.parts.user}" createdb, or use another role`,
    );
  }
  if (major !== undefined && major !== Number.parseInt(version, 10)) {
    throw new SettingsError(
      `PG_MAJOR is ${major}, but TEST_DATABASE_URL is PostgreSQL ${version} (${server.label}); unset one of the two`,
    );
  }
  return version;
}
