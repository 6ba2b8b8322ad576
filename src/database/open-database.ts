import { SchemaOutOfDateError, SettingsError } from '../errors.ts';
import { migrationGap } from '../migrator/index.ts';
import { parseDatabaseUrl } from '../settings/database-url.ts';
import { connect } from './connect.ts';
import { Database } from './database.ts';
import { targetOrEmbedded } from './default-target.ts';
import type { PoolOptions } from './orm-options.ts';
import { ReplicaSet, defaultMaxReplicaLag } from './replicas/replica-set.ts';
import { Replica } from './replicas/replica.ts';
import { Telemetry, type TelemetryOptions } from './telemetry/telemetry.ts';

export interface OpenDatabaseOptions extends TelemetryOptions {
  /** A PostgreSQL URL. Default: `DATABASE_URL`, from the environment or `.env`; else the embedded server of the project. */
  readonly url?: string | undefined;
  /**
   * Streaming replicas, for reads that ask for one. Each has a pool of its own, as large as the primary's. One that is down keeps
   * nothing from being opened. Default: none.
   */
  readonly replicaUrls?: readonly string[] | undefined;
  /**
   * How many bytes of the write-ahead log a replica may have yet to apply, and still be read from. A primary that nobody writes to
   * makes no lag. Default 16 MiB. Looked at once a second.
   */
  readonly maxReplicaLag?: number | undefined;
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
  replicaUrls = [],
  maxReplicaLag = defaultMaxReplicaLag,
  pool,
  schemaBehind = 'refuse',
  schemaAhead = 'warn',
  ...told
}: OpenDatabaseOptions = {}): Promise<Database> {
  const replicaTargets = replicaUrls.map((each) => parseDatabaseUrl(each, 'replicaUrls'));
  if (!(Number.isSafeInteger(maxReplicaLag) && maxReplicaLag >= 0))
    throw new SettingsError(`maxReplicaLag is ${maxReplicaLag}; give a number of bytes, such as 16777216`);
  const { target } = await targetOrEmbedded({ url }, 'application');
  const telemetry = await Telemetry.start(told, target);
  const orm = await connect(target, pool);
  try {
    await telemetry.watch(orm);
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
    const replicas = await Promise.all(
      replicaTargets.map((replica) => Replica.open(replica, pool ?? {}, telemetry.of(replica))),
    );
    return new Database(orm, { replicas: new ReplicaSet(orm, replicas, maxReplicaLag), telemetry });
  } catch (error) {
    telemetry.stop();
    await orm.close(true);
    throw error;
  }
}
