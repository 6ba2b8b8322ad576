import { SettingsError } from '../../errors.ts';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import { defaultFor, type SettingValue } from '../../settings/setting-definitions.ts';

/**
 * The kind of pooler between this process and the server.
 *
 * - `session`: none, or a pooler in session mode. Connections are reused; one whose session a unit of work changed (a setting, a lock) is
 *   closed.
 * - `transaction`: a pooler in transaction mode, such as PgBouncer. Statements that change the session are refused, since they would affect
 *   the next client of the server's connection.
 * - `external`: a pooler does all of the pooling. Each unit of work opens a connection and closes it. The same statements are refused.
 */
export type PoolMode = SettingValue<'poolMode'>;

/** The size and the timeouts of the pool. Times are milliseconds. */
export interface PoolOptions {
  /** The maximum number of connections, at least 1. Default 10. With `external`, of concurrent units of work. */
  readonly max?: number | undefined;
  /** How long to wait for a connection, at least 1. Default 5,000. */
  readonly acquireTimeout?: number | undefined;
  /** How long to keep an idle connection; 0 for no limit. Default 10,000. Not with `external`. */
  readonly idleTimeout?: number | undefined;
  /** The age at which an idle connection is replaced; 0 for no limit. Default 1,800,000. Not with `external`. */
  readonly maxLifetime?: number | undefined;
}

/** The options of the driver's pool. */
export interface DriverPoolOptions {
  readonly max: number;
  readonly connectionTimeoutMillis: number;
  readonly idleTimeoutMillis: number;
  readonly maxLifetimeSeconds: number;
  readonly maxUses?: number;
}

/** Returns the options of the driver's pool. */
export function driverPoolOptions(mode: PoolMode, pool: PoolOptions): DriverPoolOptions {
  return {
    max: pool.max ?? defaultFor('pool.max'),
    connectionTimeoutMillis: pool.acquireTimeout ?? defaultFor('pool.acquireTimeout'),
    idleTimeoutMillis: pool.idleTimeout ?? defaultFor('pool.idleTimeout'),
    maxLifetimeSeconds: (pool.maxLifetime ?? defaultFor('pool.maxLifetime')) / 1_000,
    ...(mode === 'external' && { maxUses: 1 }),
  };
}

/**
 * Refuses startup options, which a pooler in transaction mode rejects.
 *
 * @throws SettingsError when `PGOPTIONS` is set.
 */
export function refuseStartupOptions(target: DatabaseTarget, environment: NodeJS.ProcessEnv): void {
  // The driver reads it.
  if (!environment['PGOPTIONS']) return;
  throw new SettingsError(
    `PGOPTIONS is set, but ${target.label} is reached through a pooler in transaction mode, which refuses options at login: ` +
      'unset it, and set its parameters on the role (alter role … set …), or by `timeouts` and `settings`',
  );
}
