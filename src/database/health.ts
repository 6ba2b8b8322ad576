import type { MikroORM } from '@mikro-orm/postgresql';
import type { Pool } from 'pg';
import { migrationGap, type MigrationGap } from '../migrator/index.ts';
import { Probe } from './probe.ts';
import type { ReplicaHealth, ReplicaSet } from './replicas/replica-set.ts';
import { toDataError } from './translate-error.ts';

/** How full a pool is. */
export interface PoolHealth {
  readonly max: number;
  /** Connections that are open. */
  readonly total: number;
  /** Those of them that nobody uses. */
  readonly idle: number;
  /** Units of work that wait for one. */
  readonly waiting: number;
}

/** How a database is. Made for JSON; nothing in it tells where the database is, or a secret. */
export interface DatabaseHealth {
  /** `up` when it answered in time. */
  readonly status: 'up' | 'down';
  /** Why it is down. */
  readonly error: string | null;
  /** Milliseconds until it answered, the wait for a connection included; null when it did not. */
  readonly latency: number | null;
  readonly pool: PoolHealth;
  /** Null when it is down, or its list of migrations can't be read. */
  readonly schema: {
    /** The migration applied last, by its name; null when none is. */
    readonly version: string | null;
    /** What this code has and the database has not, oldest first. */
    readonly pending: readonly string[];
    /** What the database has and this code has not. */
    readonly unknown: readonly string[];
  } | null;
  /** In the order of `replicaUrls`. */
  readonly replicas: readonly ReplicaHealth[];
}

/** Examines a database. */
export class HealthCheck {
  readonly #orm: MikroORM;
  readonly #replicas: ReplicaSet;
  readonly #answer: Probe<number>;
  readonly #schema: Probe<MigrationGap>;
  #ended = false;

  constructor(orm: MikroORM, replicas: ReplicaSet) {
    this.#orm = orm;
    this.#replicas = replicas;
    this.#answer = new Probe(async () => {
      const begun = performance.now();
      await orm.em.getConnection().execute('select 1');
      return performance.now() - begun;
    });
    this.#schema = new Probe(() => migrationGap(orm));
  }

  /** From now on the database is told to be closed; it is asked nothing more, since the ORM would connect again for that. */
  end(): void {
    this.#ended = true;
  }

  /** How the database is, within about twice `patience` milliseconds. Never throws. */
  async examine(patience: number): Promise<DatabaseHealth> {
    if (this.#ended) return down('the database was closed', { max: 0, total: 0, idle: 0, waiting: 0 }, []);
    // They are asked side by side with the primary: the one may be well when the other is not.
    const replicas = this.#replicas.health();
    const pool = await this.#orm.em.getConnection().getNativeClient();
    try {
      const latency = Math.round((await this.#answer.ask(patience)) * 10) / 10;
      const schema = await this.#schema.ask(patience).catch(() => null);
      return {
        status: 'up',
        error: null,
        latency,
        pool: figures(pool),
        schema,
        replicas: await replicas,
      };
    } catch (thrown) {
      const error = toDataError(thrown);
      const why = error instanceof Error ? error.message : String(error);
      return down(why, figures(pool), await replicas);
    }
  }
}

function down(error: string, pool: PoolHealth, replicas: readonly ReplicaHealth[]): DatabaseHealth {
  return { status: 'down', error, latency: null, pool, schema: null, replicas };
}

function figures(pool: Pool): PoolHealth {
  return {
    max: pool.options.max,
    total: pool.totalCount,
    idle: pool.idleCount,
    waiting: pool.waitingCount,
  };
}
