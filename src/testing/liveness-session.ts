import { setTimeout } from 'node:timers/promises';
import { connect } from '../postgres/orm/connect.ts';
import { Database } from '../database/database.ts';
import { SettingsError } from '../errors.ts';
import { DatabaseTarget } from '../settings/database-url.ts';

const retryMs = 100;

/** Milliseconds within which a session that was lost is there again, if its process runs and the server can be reached. */
export const reopenedWithinMs = 1_000;

/**
 * A session on the server, under the name of a run, that the server has for as long as the run's process lives: suspended or not, in
 * whichever container or on whichever host. Opened again when it is lost. In a transaction, so that a pooler lends it a connection of
 * its own; without a snapshot, so that it holds nothing up.
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

  /** @throws ConnectionError; SettingsError when something between hides the name from the server. */
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
          if (own?.name !== name) throw notNamed(own?.name);
          opened();
          await this.#end.promise;
        });
      } catch (error) {
        // Only the first opening has a caller to tell.
        opened(error);
        await Promise.race([setTimeout(retryMs), this.#end.promise]);
      }
    }
  }
}

function notNamed(name: string | undefined): SettingsError {
  return new SettingsError(
    `TEST_DATABASE_URL: the session of a test run has the name ${JSON.stringify(name)} on the server, so that other runs can't see that ` +
      'it lives: name the server itself, and a pooler in TEST_POOLER_URL',
  );
}
