import { Migrator } from '@mikro-orm/migrations';
import { defineConfig, type Options } from '@mikro-orm/postgresql';
import * as entities from '../entities/index.ts';
import { JsonShapeGuard } from '../json/shape-guard.ts';
import type { DatabaseTarget } from '../settings/database-url.ts';
import { CascadeGuard } from './cascade-guard.ts';
import { Connections } from './connections.ts';
import { JoinedUpdates } from './joined-updates.ts';
import { HouseNaming } from './naming.ts';
import { PgRowCopier } from './pg-row-copier.ts';
import { RowVersionGuard } from './row-version-guard.ts';
import { TransactionGuard } from './transaction-guard.ts';

/** How large the pool is and how long one waits for it. */
export interface PoolOptions {
  /** Connections at most. Default 10. */
  readonly max?: number;
  /** Milliseconds to wait for a free connection, or for a new one. Default 5,000. */
  readonly acquireTimeout?: number;
}

/** How long the server may take. */
export interface TimeoutOptions {
  /**
   * Milliseconds that the server may be silent while it owes an answer; then the connection is given up, since the network, a pooler
   * or the server hangs. To be longer than any statement takes. 0: for ever. Default 60,000.
   */
  readonly answer?: number;
}

/** The one place where the ORM is configured. */
export function ormOptions(
  target: DatabaseTarget,
  pool: PoolOptions = {},
  timeouts: TimeoutOptions = { answer: 0 },
): Options {
  const { host, port, user, password, database, tls, applicationName, connectTimeout } = target.parts;
  const connections = new Connections(pool.acquireTimeout ?? 5_000);
  return defineConfig({
    driver: JoinedUpdates,
    // Not `clientUrl`: the ORM would drop the URL's parameters, and with them TLS.
    host,
    port,
    user,
    password,
    dbName: database,
    pool: { min: 0, max: pool.max ?? 10 },
    driverOptions: {
      Client: connections.Client,
      ssl: tls,
      application_name: applicationName ?? 'synth-lab-data',
      // A peer that is gone is found out by the operating system in half a minute, when nothing is under way.
      keepAlive: true,
      keepAliveInitialDelayMillis: 15_000,
      connectionTimeoutMillis: connections.acquireTimeout,
      connectTimeout: connectTimeout === undefined ? undefined : connectTimeout * 1_000,
      answerTimeout: timeouts.answer ?? 60_000,
    },
    entities: Object.values(entities).filter((exported) => typeof exported === 'function'),
    namingStrategy: HouseNaming,
    extensions: [Migrator, PgRowCopier, connections],
    subscribers: [new TransactionGuard(), new JsonShapeGuard(), new RowVersionGuard(), new CascadeGuard()],
    // A database that does not exist is an error to report, not one to create on the way.
    ensureDatabase: false,
    // A transaction's work flushes at its end, or where it asks to.
    flushMode: 'commit',
    // `em.find` must not join a relation's owner that nobody asked for.
    autoJoinOneToOneOwner: false,
    migrations: {
      path: `${import.meta.dirname}/../migrations`,
      // Each migration in a transaction of its own: a concurrent index needs the tables before it committed.
      allOrNothing: false,
      // Needs a superuser, and would switch off the rules that a migration may rely on.
      disableForeignKeys: false,
      // Entities are compared with a database, never with a file that may be stale.
      snapshot: false,
      silent: true,
    },
    // The migrator's own tables are no part of what the entities describe.
    schemaGenerator: { ignoreSchema: ['migrator'] },
    // Queries go nowhere unless somebody asks; errors are thrown, not printed.
    logger: () => {},
  });
}
