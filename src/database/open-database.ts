import { SchemaOutOfDateError } from '../errors.ts';
import { migrationGap } from '../migrator/index.ts';
import { resolveSettings } from '../settings/resolve.ts';
import { connect } from './connect.ts';
import { Database } from './database.ts';
import { embeddedTarget } from './default-target.ts';
import type { PoolOptions } from './orm-options.ts';

export interface OpenDatabaseOptions {
  /** A PostgreSQL URL. Default: `DATABASE_URL`, from the environment or `.env`; else the embedded server of the project. */
  readonly url?: string | undefined;
  readonly pool?: PoolOptions | undefined;
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
  schemaBehind = 'refuse',
  schemaAhead = 'warn',
}: OpenDatabaseOptions = {}): Promise<Database> {
  const settings = resolveSettings({ url, pool });
  const target = settings.url.value ?? (await embeddedTarget()).target;
  const orm = await connect(target, {
    max: settings['pool.max'].value,
    acquireTimeout: settings['pool.acquireTimeout'].value,
  });
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
    return new Database(orm);
  } catch (error) {
    await orm.close(true);
    throw error;
  }
}
