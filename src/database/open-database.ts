import { SchemaOutOfDateError } from '../errors.ts';
import { migrationGap } from 'mikro-orm-safe-migrations';
import { resolveSettings } from '../settings/resolve-settings.ts';
import { connectOptions } from '../postgres/orm/connect-options.ts';
import { connect } from '../postgres/orm/connect.ts';
import { Database } from './database.ts';
import { targetOf } from './default-target.ts';
import type { DatabaseTimeouts } from '../postgres/orm/orm-options.ts';
import type { PoolMode, PoolOptions } from '../postgres/client/pool-options.ts';
import { refuseSharedSessions } from '../postgres/client/pooled-sessions.ts';
import { ReplicaSet } from './replicas/replica-set.ts';
import { Replica } from './replicas/replica.ts';
import { Telemetry, type TelemetryOptions } from './telemetry/telemetry.ts';

export interface OpenDatabaseOptions extends TelemetryOptions {
  /**
   * A PostgreSQL URL, or `embedded` for the embedded server of the project. Default: `DATABASE_URL`, from the environment or `.env`;
   * else, in development, the embedded server. An empty text is refused.
   */
  readonly url?: string | undefined;
  /**
   * Streaming replicas, for reads that ask for one. Each has its own pool, as large as the primary's. A replica that is down does not
   * fail `openDatabase`. Default: none.
   */
  readonly replicaUrls?: readonly string[] | undefined;
  /**
   * The maximum lag of a replica that is read from, in bytes of WAL. An idle primary causes no lag. Default 16 MiB. Checked at most
   * once a second.
   */
  readonly maxReplicaLag?: number | undefined;
  /** What stands between this process and the server. Default `session`. */
  readonly poolMode?: PoolMode | undefined;
  readonly pool?: PoolOptions | undefined;
  /**
   * For every unit of work without its own timeouts. A `read` becomes a read-only transaction for `statement` and `lock`. Default: those
   * of the role or the server.
   */
  readonly timeouts?: DatabaseTimeouts | undefined;
  /** Milliseconds that `close` waits for running units of work, unless its `timeout` says otherwise. Default 10,000. */
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
 * @throws SettingsError before anything is opened, or when `poolMode` is `session` and a pooler lends the server's connections by the
 * transaction; ConnectionError; SchemaOutOfDateError when migrations are pending.
 */
export async function openDatabase({
  schemaBehind = 'refuse',
  schemaAhead = 'warn',
  logger,
  ...given
}: OpenDatabaseOptions = {}): Promise<Database> {
  const settings = resolveSettings(given);
  const { target } = await targetOf(settings.url);
  const connections = connectOptions(settings);
  const telemetry = await Telemetry.start(
    {
      logger,
      slowStatement: settings.slowStatement.value,
      logStatements: settings.logStatements.value,
    },
    target,
  );
  const orm = await connect(target, connections);
  try {
    await telemetry.watch(orm);
    if (settings.poolMode.value === 'session') await refuseSharedSessions(orm, target);
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
      settings.replicaUrls.value.map((replica) => Replica.open(replica, connections, telemetry.of(replica))),
    );
    return new Database(orm, {
      ...connections,
      closeTimeout: settings.closeTimeout.value,
      replicas: new ReplicaSet(orm, replicas, settings.maxReplicaLag.value),
      telemetry,
    });
  } catch (error) {
    telemetry.stop();
    // Why it failed matters, not what came after.
    await orm.close(true).catch(() => {});
    throw error;
  }
}
