import { pendingMigrations } from '../migrator/index.ts';
import { SchemaOutOfDateError } from '../errors.ts';
import { connect } from './connect.ts';
import { Database } from './database.ts';
import { targetOrEmbedded } from './default-target.ts';
import type { PoolOptions } from './orm-options.ts';

export interface OpenDatabaseOptions {
  /** A PostgreSQL URL. Default: `DATABASE_URL`, from the environment or `.env`; else the embedded server of the project. */
  readonly url?: string;
  readonly pool?: PoolOptions;
}

/**
 * Opens the database that the settings name. It never creates or changes a schema. Close it with `close()`, or hold it with
 * `await using`.
 *
 * @throws SettingsError before anything is opened; ConnectionError; SchemaOutOfDateError when migrations are pending.
 */
export async function openDatabase({ url, pool }: OpenDatabaseOptions = {}): Promise<Database> {
  const { target } = await targetOrEmbedded({ url }, 'application');
  const orm = await connect(target, pool);
  const pending = await pendingMigrations(orm);
  if (pending.length === 0) return new Database(orm);
  await orm.close(true);
  throw new SchemaOutOfDateError(pending);
}
