import { SettingsError } from '../../errors.ts';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import { defaultFor, type SettingValue } from '../../settings/setting-definitions.ts';

/**
 * What stands between this process and the server.
 *
 * - `session`: nothing, or a pooler that gives each client a server connection of its own. Connections are kept and used again; one
 *   on which a unit of work left something, a setting or a lock, is closed.
 * - `transaction`: a pooler such as PgBouncer that lends a server connection for one transaction. What would outlive the transaction
 *   is refused, since it would reach whoever is lent the connection next.
 * - `external`: a pooler of any kind does the pooling. No connection is kept: each unit of work makes one and ends it. The same is
 *   refused.
 */
export type PoolMode = SettingValue<'poolMode'>;

/** How large the pool is, how long one waits for it, and how long it keeps connections. Times are milliseconds. */
export interface PoolOptions {
  /** Connections at most, at least 1. Default 10. With `external`, units of work at once. */
  readonly max?: number | undefined;
  /** How long to wait for a free connection, or for a new one, at least 1. Default 5,000. */
  readonly acquireTimeout?: number | undefined;
  /** How long a connection that nobody uses is kept; 0 for ever. Default 10,000. Not with `external`. */
  readonly idleTimeout?: number | undefined;
  /** How old a connection gets before it is replaced by a new one, not while in use; 0 for no limit. Default 1,800,000. Not with `external`. */
  readonly maxLifetime?: number | undefined;
}

/** What the driver's pool is told. */
export interface DriverPoolOptions {
  readonly max: number;
  readonly connectionTimeoutMillis: number;
  readonly idleTimeoutMillis: number;
  readonly maxLifetimeSeconds: number;
  readonly maxUses?: number;
}

/** Settings as the driver's pool has them. */
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
 * Holds that nothing is asked of the connection itself that a pooler in transaction mode refuses, or gives to others.
 *
 * @throws SettingsError with the reason and the remedy.
 */
export function refuseStartupOptions(target: DatabaseTarget, environment: NodeJS.ProcessEnv): void {
  // The driver reads it by itself.
  if (!environment['PGOPTIONS']) return;
  throw new SettingsError(
    `PGOPTIONS is set, but ${target.label} is reached through a pooler in transaction mode, which takes no options at login: ` +
      'unset it, and set what it asks for on the role (alter role … set …), or by `timeouts` and `settings`',
  );
}
