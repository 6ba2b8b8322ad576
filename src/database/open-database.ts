import { SchemaDriftError, SchemaOutOfDateError } from '../errors.ts';
import { resolveSettings } from '../settings/resolve-settings.ts';
import { connectOptions } from '../postgres/orm/connect-options.ts';
import { connect } from '../postgres/orm/connect.ts';
import { Database } from './database.ts';
import { targetOf } from './default-target.ts';
import type { DatabaseTimeouts } from '../postgres/orm/orm-options.ts';
import type { PoolMode, PoolOptions } from '../postgres/client/pool-options.ts';
import { tagStatements } from '../postgres/sql/statement-tags.ts';
import { refuseSharedSessions } from '../postgres/pooler/pooler-mode.ts';
import { ReplicaSet } from './replicas/replica-set.ts';
import { Replica } from './replicas/replica.ts';
import { Telemetry, type TelemetryOptions } from './telemetry/telemetry.ts';

export interface OpenDatabaseOptions extends TelemetryOptions {
  /**
   * A PostgreSQL URL, or `embedded` for the project's embedded server. Default: `DATABASE_URL`, from the environment or `.env`; in
   * development without one, the embedded server. An empty text is refused.
   */
  readonly url?: string | undefined;
  /**
   * Streaming replicas, for reads with `from: 'replica'`. Each has its own pool, of the primary's size. A replica that is down does not
   * fail the opening. Default: none.
   */
  readonly replicaUrls?: readonly string[] | undefined;
  /**
   * The maximum lag of a replica to read from, in bytes of the write-ahead log. Checked once a second. Default 16 MiB.
   */
  readonly maxReplicaLag?: number | undefined;
  /** The kind of pooler between this process and the server. Default `session`. */
  readonly poolMode?: PoolMode | undefined;
  /**
   * Whether each connection prepares the statements of reads by key and of single inserts once, which makes the reads twice as fast. A change
   * of their tables makes a running unit of work fail with `ContentionError`, which `retries` repeats. Behind a pooler, only when it keeps
   * prepared statements for its clients, as PgBouncer does with `max_prepared_statements`. Default `true`.
   */
  readonly namedStatements?: boolean | undefined;
  readonly pool?: PoolOptions | undefined;
  /**
   * The defaults for units of work. With `statement` or `lock`, reads run in a read-only transaction. Default: the settings of the role or
   * the server.
   */
  readonly timeouts?: DatabaseTimeouts | undefined;
  /** Milliseconds for which `close` waits for running units of work. Default 10,000. */
  readonly closeTimeout?: number | undefined;
  /** What to do when the database lacks migrations of this code. Default `refuse`. */
  readonly schemaBehind?: 'refuse' | 'ignore' | undefined;
  /** What to do when the database has migrations that this code does not know. Default `warn`, by a process warning. */
  readonly schemaAhead?: 'warn' | 'ignore' | undefined;
  /**
   * What to do when the schema differs from what the last run of migrations left: `warn` emits a process warning. A schema that can't be
   * compared, because no run has recorded it or the role may not read the record, passes. Default `ignore`.
   */
  readonly schemaDrift?: 'refuse' | 'warn' | 'ignore' | undefined;
}

/**
 * Opens the configured database. Never creates or changes a schema. Close it with `close()`, or declare it with `await using`.
 *
 * @throws SettingsError before anything is opened, or when `poolMode` is `session` behind a pooler in transaction mode; ConnectionError; SchemaOutOfDateError when migrations are pending;
 * SchemaDriftError with `schemaDrift: 'refuse'`.
 */
export async function openDatabase({
  schemaBehind = 'refuse',
  schemaAhead = 'warn',
  schemaDrift = 'ignore',
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
      const { migrationGap } = await import('mikro-orm-safe-migrations/gap');
      const { pending, unknown } = await tagStatements('openDatabase', () => migrationGap(orm));
      if (schemaBehind === 'refuse' && pending.length > 0) throw new SchemaOutOfDateError(pending);
      if (schemaAhead === 'warn' && unknown.length > 0) {
        process.emitWarning(
          `the database ${target.label} is ahead of this code: it has the migrations ${unknown.join(', ')}; upgrade this code`,
          { code: 'SYNTHDB_SCHEMA_AHEAD' },
        );
      }
    }
    if (schemaDrift !== 'ignore') {
      // The migrator is half of all modules: it is loaded when it is needed.
      const { Migrator, summarizeDrift } = await import('mikro-orm-safe-migrations');
      const { differences } = await new Migrator(orm).drift();
      if (differences.length > 0) {
        const error = new SchemaDriftError(summarizeDrift(differences));
        if (schemaDrift === 'refuse') throw error;
        process.emitWarning(`${target.label}: ${error.message}`, { code: 'SYNTHDB_SCHEMA_DRIFT' });
      }
    }
    const replicas = await Promise.all(
      settings.replicaUrls.value.map((replica) =>
        Replica.open(replica, connections, telemetry.forDatabase(replica)),
      ),
    );
    return new Database(orm, {
      ...connections,
      closeTimeout: settings.closeTimeout.value,
      replicas: new ReplicaSet(orm, replicas, settings.maxReplicaLag.value),
      telemetry,
    });
  } catch (error) {
    telemetry.stop();
    // The first error is thrown, not one of the closing.
    await orm.close(true).catch(() => {});
    throw error;
  }
}
