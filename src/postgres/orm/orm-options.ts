import { Migrator } from '@mikro-orm/migrations';
import type { MikroORM } from '@mikro-orm/core';
import { defineConfig, type Options } from '@mikro-orm/postgresql';
import { migrations } from '../../migrations.ts';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import { CascadeGuard } from './guards/cascade-guard.ts';
import { Connections } from '../client/connections.ts';
import { DataErrorEntityManager } from './data-errors/data-error-entity-manager.ts';
import { notFoundHandlers } from './data-errors/not-found.ts';
import { BatchUpdateDriver } from './driver/batch-update-driver.ts';
import { timeoutStatements, type TransactionTimeouts } from '../client/local-settings.ts';
import { ConstraintNaming } from './constraint-naming.ts';
import { ourEntities } from './entities/our-entities.ts';
import {
  driverPoolOptions,
  refuseStartupOptions,
  type PoolMode,
  type PoolOptions,
} from '../client/pool-options.ts';
import { acceptsStandby, sessionCheck } from '../client/session-check.ts';
import { TextGuard } from './guards/text-guard.ts';
import { TransactionGuard } from './guards/transaction-guard.ts';
import { TriggerSchemaGenerator } from '../patches/orm/trigger-schema-generator.ts';
import { answerTimeoutFor } from '../client/answer-timeout.ts';
import { MidFlushChanges } from '../patches/orm/mid-flush-changes.ts';

/** The pooling and the timeouts of connections. */
export interface ConnectOptions {
  readonly poolMode?: PoolMode | undefined;
  readonly pool?: PoolOptions | undefined;
  readonly timeouts?: DatabaseTimeouts | undefined;
  /** Whether the statements of reads by key are prepared once in each connection. Default `true`; never with `external`. */
  readonly namedStatements?: boolean | undefined;
  /** `false` leaves the entities out, whose discovery takes most of the time of a start, for plain statements. Default `true`. */
  readonly entities?: boolean | undefined;
}

/** How long the server may take, in milliseconds. */
export interface DatabaseTimeouts extends TransactionTimeouts {
  /**
   * Milliseconds that the server may take to answer; then the connection is closed, since the network, a pooler or the server hangs.
   * 0: no limit. A longer `statement` timeout extends it. Default 60,000.
   */
  readonly answer?: number | undefined;
}

let configured = 0;

/** An extension of the ORM that checks new connections. It has none of the driver's types, which a service need not install. */
interface ConnectionCheck {
  register(orm: MikroORM): void;
  onConnect(before: (client: never) => Promise<void>): (client: never) => Promise<void>;
}

/**
 * Returns the configuration of the ORM. All ORMs of this package are configured here.
 *
 * @throws SettingsError
 */
export function ormOptions(
  target: DatabaseTarget,
  {
    poolMode = 'session',
    pool = {},
    timeouts: { answer = 0, ...timeouts } = {},
    namedStatements = true,
    entities = true,
  }: ConnectOptions = {},
  connectionCheck?: ConnectionCheck,
): Options {
  const checkSession = sessionCheck(target.parts.targetSessionAttrs);
  const { connectionTimeoutMillis, ...driverPool } = driverPoolOptions(poolMode, pool);
  if (poolMode === 'transaction') refuseStartupOptions(target, process.env);
  const { host, port, user, password, database, applicationName, connectTimeout, options } = target.parts;
  const connections = new Connections({
    max: driverPool.max,
    acquireTimeout: connectionTimeoutMillis,
    mayBeStandby: acceptsStandby(target.parts.targetSessionAttrs),
    mayNameStatements: namedStatements && poolMode !== 'external',
  });
  return defineConfig({
    driver: BatchUpdateDriver,
    entityManager: DataErrorEntityManager,
    ...notFoundHandlers(connections),
    // Not `clientUrl`: the ORM would drop the URL's parameters, and with them TLS.
    host,
    port,
    user,
    // A function, so that printing the options of the ORM or the pool does not print the password. The driver calls it at each login.
    password: password === '' ? '' : () => password,
    dbName: database,
    driverOptions: {
      ...driverPool,
      Client: connections.Client,
      atBegin: timeoutStatements(timeouts),
      sharesSession: poolMode !== 'session',
      ssl: target.tls,
      // Otherwise the driver would read PGSSLNEGOTIATION.
      sslnegotiation: 'postgres',
      application_name: applicationName ?? 'synth-lab-data',
      ...(options !== undefined && { options }),
      onConnect: connectionCheck ? connectionCheck.onConnect(checkSession) : checkSession,
      // The operating system detects a dead peer of an idle connection in half a minute.
      keepAlive: true,
      keepAliveInitialDelayMillis: 15_000,
      connectionTimeoutMillis: connections.acquireTimeout,
      connectTimeout: connectTimeout === undefined ? undefined : connectTimeout * 1_000,
      answerTimeout: timeouts.statement ? answerTimeoutFor(answer, timeouts.statement) : answer,
    },
    // Unique: within a request or a transaction of another ORM with the same name, the ORM would use the other one's entity manager.
    contextName: `synth-lab-data ${++configured}`,
    entities: entities ? [...ourEntities] : [],
    ...(!entities && { discovery: { warnWhenNoEntities: false } }),
    namingStrategy: ConstraintNaming,
    extensions: [
      Migrator,
      TriggerSchemaGenerator,
      connections,
      ...(connectionCheck ? [connectionCheck] : []),
    ],
    // Columns with a shape or a row version register their own subscribers.
    subscribers: [new MidFlushChanges(), new TransactionGuard(), new CascadeGuard(), new TextGuard()],
    // A missing database is an error. The ORM would create it.
    ensureDatabase: false,
    // Values are plain properties. The accessors that the ORM would define for each of them take a quarter of the time in which it loads and
    // flushes many entities.
    propagationOnPrototype: false,
    // A unit of work flushes at its end, or on request.
    flushMode: 'commit',
    // `em.find` must not join the owner of a relation that the caller did not request.
    autoJoinOneToOneOwner: false,
    migrations: {
      // Classes instead of a search for files: they are the same with any loader or bundler.
      migrationsList: migrations,
      // The folder of new migrations.
      path: `${import.meta.dirname}/../../migrations`,
      // Each migration in a separate transaction: a concurrent index needs committed tables.
      allOrNothing: false,
      // It would need a superuser, and disable rules that a migration may rely on.
      disableForeignKeys: false,
      // Entities are compared with a database, never with a file that may be stale.
      snapshot: false,
      silent: true,
    },
    // The entities do not describe the migrator's own tables.
    schemaGenerator: { ignoreSchema: ['migrator'] },
    // Queries are not logged by default; errors are thrown, not printed.
    logger: () => {},
  });
}
