import { SchemaOutOfDateError } from '../errors.ts';
import { migrationGap } from '../migrator/index.ts';
import { connect } from './connect.ts';
import { Database } from './database.ts';
import { targetOrEmbedded } from './default-target.ts';
import type { PoolOptions, TimeoutOptions } from './orm-options.ts';

export interface OpenDatabaseOptions {
  /** A PostgreSQL URL. Default: `DATABASE_URL`, from the environment or `.env`; else the embedded server of the project. */
  readonly url?: string | undefined;
  readonly pool?: PoolOptions | undefined;
  readonly timeouts?: TimeoutOptions | undefined;
  /** Milliseconds that `close` waits for running units of work, unless it is told otherwise. Default 10,000. */
  readonly closeTimeout?: number | undefined;
  /** What to do on a database that lacks migrations of this code. Default `refuse`. */
  readonly schemaBehind?: 'refuse' | 'ignore' | undefined;
  /** What to do on a database with migrations that this code does not know. Default `warn`: a warning of the process. */
  readonly schemaAhead?: 'warn' | 'ignore' | undefined;
}

/**
 * Opens the database that the settings name. It never creates or changes a schema. Close it with `close()`, or hold it with
 * `await using`.
 *
 * @throws SettingsError before anything is opened; ConnectionError; SchemaOutOfDateError when migrations are pending.
 */
export async function openDatabase({
  url,
  pool,
  timeouts = {},
  closeTimeout,
  schemaBehind = 'refuse',
  schemaAhead = 'warn',
}: OpenDatabaseOptions = {}): Promise<Database> {
  const { target } = await targetOrEmbedded({ url }, 'application');
  const orm = await connect(target, pool, timeouts);
  try {
    if (schemaBehind === 'refuse' || schemaAhead === 'warn') {
      const { pending, unknown } = await migrationGap(orm);
      if (schemaBehind === 'refuse' && pending.length > 0) throw new SchemaOutOfDateError(pending);
      if (schemaAhead === 'warn' && unknown.length > 0) {
        process.emitWarning(
          `the database ${target.label} is ahead of this code: it has ${unknown.join(', ')}; upgrade this code`,
          { code: 'SYNTHDB_SCHEMA_AHEAD' },
        );
      }
    }
    return new Database(orm, { closeTimeout });
  } catch (error) {
    // Why it failed matters, not what came after.
    await orm.close(true).catch(() => {});
    throw error;
  }
}
