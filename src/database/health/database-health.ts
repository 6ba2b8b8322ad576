import type { ReplicaHealth } from '../replicas/replica-set.ts';

/**
 * How well a database serves this process.
 *
 * - `up`: the pool serves, the schema is that of this code, every replica can be read from.
 * - `degraded`: the server answers, but something is wrong: a replica, the schema, a primary that is a standby; or connections of the
 *   pool that do not answer where a new one does, which is not ready.
 * - `saturated`: the server, or the pooler in front of it, is alive, but has no connection free for a unit of work.
 * - `down`: no connection answers, and no new one can be made.
 */
export type HealthStatus = 'up' | 'degraded' | 'saturated' | 'down';

/** How full a pool is. */
export interface PoolHealth {
  readonly max: number;
  /** Connections that are open. */
  readonly total: number;
  /** Open connections that are not in use. */
  readonly idle: number;
  /** Units of work that wait for one. */
  readonly waiting: number;
}

/** The schema's migrations, compared with those of this code. */
export interface SchemaHealth {
  /** The migration applied last, by its name; null when none is. */
  readonly version: string | null;
  /** What this code has and the database has not, oldest first. */
  readonly pending: readonly string[];
  /** What the database has and this code has not. */
  readonly unknown: readonly string[];
}

/** How a database is. Made for JSON; it names neither where the database is nor a secret. */
export interface DatabaseHealth {
  readonly status: HealthStatus;
  /** Whether requests should be sent here: the pool serves, and no migration is pending. */
  readonly ready: boolean;
  /** Why it is not `up`; null when it is. */
  readonly error: string | null;
  /** Milliseconds until the pool answered, the wait for a connection included; null when it did not. */
  readonly latency: number | null;
  readonly pool: PoolHealth;
  /** Null when the pool does not serve, or the list of migrations can't be read in time. */
  readonly schema: SchemaHealth | null;
  /** In the order of `replicaUrls`. */
  readonly replicas: readonly ReplicaHealth[];
}
