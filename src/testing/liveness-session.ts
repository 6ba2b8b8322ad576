import { setTimeout } from 'node:timers/promises';
import { connect } from '../postgres/orm/connect.ts';
import { Database } from '../database/database.ts';
import { SettingsError } from '../errors.ts';
import { DatabaseTarget } from '../settings/database-url.ts';

const retryMs = 100;

/** The time in milliseconds within which a lost session is reopened while its process runs and the server is reachable. */
export const reopenTimeoutMs = 1_000;

/**
 * A session on the server, named like the run, which exists while the process of the run does, suspended or not, in any container or host.
 * It is reopened when lost. It stays in a transaction, so that a pooler dedicates a connection to it, and has no snapshot, so that it does
 * not hold back vacuum.
 */
export class LivenessSession {
  readonly #database: Database;
  readonly #end = Promise.withResolvers<void>();
  readonly #running: Promise<void>;
  #ended = false;

  private constructor(database: Database, name: string, opened: (error?: unknown) => void) {
    this.#database = database;
    this.#running = this.#run(name, opened);
  }

  /**
   * Opens the session.
   *
   * @throws ConnectionError when the server can't be reached.
   * @throws SettingsError when a pooler hides the name from the server.
   */
  static async open(server: DatabaseTarget, name: string): Promise<LivenessSession> {
    const orm = await connect(new DatabaseTarget({ ...server.parts, applicationName: name }));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const session = new LivenessSession(new Database(orm), name, (error) => {
      if (error === undefined) resolve();
      else reject(error);
    });
    try {
      await promise;
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#ended = true;
    this.#end.resolve();
    await this.#running;
    await this.#database.close();
  }

  async #run(name: string, opened: (error?: unknown) => void): Promise<void> {
    while (!this.#ended) {
      try {
        await this.#database.transact(async ({ em }) => {
          await em.execute(
            `select set_config(name, '0', true) from pg_settings
             where name in ('idle_in_transaction_session_timeout', 'transaction_timeout')`,
          );
          const [own] = await em.execute<{ name: string }[]>(
            'select application_name as name from pg_stat_activity where pid = pg_backend_pid()',
          );
          if (own?.name !== name) throw nameHidden(own?.name);
          opened();
          await this.#end.promise;
        });
      } catch (error) {
        // Only the first attempt has a caller that awaits it.
        opened(error);
        await Promise.race([setTimeout(retryMs), this.#end.promise]);
      }
    }
  }
}

function nameHidden(name: string | undefined): SettingsError {
  return new SettingsError(
    `TEST_DATABASE_URL: the session of a test run has the application_name ${JSON.stringify(name)} on the server, so other runs can't ` +
      'recognize it; set TEST_DATABASE_URL to the server itself, and TEST_POOLER_URL to the pooler',
  );
}
