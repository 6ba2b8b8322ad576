import type { ReplicaHealth } from '../replicas/replica-set.ts';

/**
 * The health of a database, as seen by this process.
 *
 * - `up`: the pool works, the schema is that of this code, every replica can be read from.
 * - `degraded`: the server answers, but something is wrong: a replica, the schema, a primary that is a standby; or connections of the
 *   pool that do not answer although a new one does, which is not ready.
 * - `saturated`: the server, or the pooler in front of it, is alive, but has no connection free for a unit of work.
 * - `down`: no connection answers, and no new one can be made.
 */
export type HealthStatus = 'up' | 'degraded' | 'saturated' | 'down';

/** The usage of a pool. */
export interface PoolHealth {
  readonly max: number;
  /** Open connections. */
  readonly total: number;
  /** Open connections that are not in use. */
  readonly idle: number;
  /** Units of work that wait for a connection. */
  readonly waiting: number;
}

/** The migrations of the schema, compared with those of this code. */
export interface SchemaHealth {
  /** The name of the latest applied migration; null when no migration is applied. */
  readonly version: string | null;
  /** Migrations of this code that the database lacks, oldest first. */
  readonly pending: readonly string[];
  /** Migrations of the database that this code lacks. */
  readonly unknown: readonly string[];
}

/** A report on a database, to be sent as JSON. It has no address and no secret. */
export interface DatabaseHealth {
  readonly status: HealthStatus;
  /** Whether this process can serve requests: the pool works, and no migration is pending. */
  readonly ready: boolean;
  /** Why it is not `up`; null when it is. */
  readonly error: string | null;
  /** Milliseconds until the pool answered, including the wait for a connection; null when it did not. */
  readonly latency: number | null;
  readonly pool: PoolHealth;
  /** Null when the pool does not work, or the list of migrations can't be read in time. */
  readonly schema: SchemaHealth | null;
  /** In the order of `replicaUrls`. */
  readonly replicas: readonly ReplicaHealth[];
}
