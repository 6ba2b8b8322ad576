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
import { TriggerSchemaGenerator } from '../patches/trigger-schema-generator.ts';
import { answerTimeoutFor } from '../client/answer-timeout.ts';
import { MidFlushChanges } from '../patches/mid-flush-changes.ts';

/** How connections are made, kept and given to units of work. */
export interface ConnectOptions {
  readonly poolMode?: PoolMode | undefined;
  readonly pool?: PoolOptions | undefined;
  readonly timeouts?: DatabaseTimeouts | undefined;
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

/** An extension of the ORM that looks at new connections. The driver's types, which a service need not have, stay out of it. */
interface ConnectionCheck {
  register(orm: MikroORM): void;
  onConnect(before: (client: never) => Promise<void>): (client: never) => Promise<void>;
}

/**
 * The one place where the ORM is configured.
 *
 * @throws SettingsError
 */
export function ormOptions(
  target: DatabaseTarget,
  { poolMode = 'session', pool = {}, timeouts: { answer = 0, ...timeouts } = {} }: ConnectOptions = {},
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
  });
  return defineConfig({
    driver: BatchUpdateDriver,
    entityManager: DataErrorEntityManager,
    ...notFoundHandlers(connections),
    // Not `clientUrl`: the ORM would drop the URL's parameters, and with them TLS.
    host,
    port,
    user,
    // What prints the ORM's options, or the pool's, prints a function. The driver asks it at each login.
    password: password === '' ? '' : () => password,
    dbName: database,
    driverOptions: {
      ...driverPool,
      Client: connections.Client,
      atBegin: timeoutStatements(timeouts),
      sharesSession: poolMode !== 'session',
      ssl: target.tls,
      // Or the driver would take it from PGSSLNEGOTIATION.
      sslnegotiation: 'postgres',
      application_name: applicationName ?? 'synth-lab-data',
      ...(options !== undefined && { options }),
      onConnect: connectionCheck ? connectionCheck.onConnect(checkSession) : checkSession,
      // A peer that is gone is found out by the operating system in half a minute, when nothing is under way.
      keepAlive: true,
      keepAliveInitialDelayMillis: 15_000,
      connectionTimeoutMillis: connections.acquireTimeout,
      connectTimeout: connectTimeout === undefined ? undefined : connectTimeout * 1_000,
      answerTimeout: timeouts.statement ? answerTimeoutFor(answer, timeouts.statement) : answer,
    },
    // A separate one: within a request or a transaction of another ORM with the same name, that one's manager would be used for this one's.
    contextName: `synth-lab-data ${++configured}`,
    entities: [...ourEntities],
    namingStrategy: ConstraintNaming,
    extensions: [
      Migrator,
      TriggerSchemaGenerator,
      connections,
      ...(connectionCheck ? [connectionCheck] : []),
    ],
    // Columns bring theirs: shapes of documents, and row versions.
    subscribers: [new MidFlushChanges(), new TransactionGuard(), new CascadeGuard(), new TextGuard()],
    // A database that does not exist is an error to report, not one to create on the way.
    ensureDatabase: false,
    // A transaction's work flushes at its end, or where it asks to.
    flushMode: 'commit',
    // `em.find` must not join a relation's owner that the caller did not ask for.
    autoJoinOneToOneOwner: false,
    migrations: {
      // Classes instead of files to find: a loader or a bundler of any kind gives the same ones.
      migrationsList: migrations,
      // Where a new one goes.
      path: `${import.meta.dirname}/../../migrations`,
      // Each migration in a separate transaction: a concurrent index needs the tables before it committed.
      allOrNothing: false,
      // Needs a superuser, and would switch off the rules that a migration may rely on.
      disableForeignKeys: false,
      // Entities are compared with a database, never with a file that may be stale.
      snapshot: false,
      silent: true,
    },
    // The migrator's own tables are no part of what the entities describe.
    schemaGenerator: { ignoreSchema: ['migrator'] },
    // Queries are not logged by default; errors are thrown, not printed.
    logger: () => {},
  });
}
