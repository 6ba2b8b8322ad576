import type { Migration } from '@mikro-orm/migrations';
import type { MikroORM } from '@mikro-orm/postgresql';

/** What a migration does with its closed handles. */
interface ClosedHandles {
  /** Called for a query by `execute`, which waits until it is released. */
  readonly onWaitingQuery: () => void;
  /** Called for any other use, which is synchronous, so that it can't wait. */
  readonly onQuery: () => never;
}

/** How to open the handles of a migration again. */
export interface Disconnected {
  /** Gives the migration its handles back. */
  readonly reconnect: () => void;
  /** Sends the queries that wait. */
  readonly release: () => void;
}

/**
 * Closes every handle of the database to a migration. Replaces the methods `execute` and `getEntityManager` and the protected properties
 * `driver`, `config` and `ctx`, which all access of the ORM's `Migration` class goes through.
 */
export function disconnect(
  orm: MikroORM,
  migration: Migration,
  { onWaitingQuery, onQuery }: ClosedHandles,
): Disconnected {
  const driver = orm.em.getDriver();
  const handles: unknown = Reflect.get(migration, 'driver');
  const closed = new Proxy(driver, {
    get: (_, key) => (key === 'getPlatform' ? () => driver.getPlatform() : onQuery()),
  });
  const configuration: unknown = Reflect.get(migration, 'config');
  const closedConfiguration = new Proxy(orm.config, {
    get: (config, key) => {
      if (key === 'getDriver') return () => closed;
      const value: unknown = Reflect.get(config, key, config);
      return typeof value === 'function' ? value.bind(config) : value;
    },
  });
  const released = Promise.withResolvers<void>();
  const execute = async (...given: Parameters<Migration['execute']>): Promise<unknown> => {
    onWaitingQuery();
    await released.promise;
    return migration.execute(...given);
  };
  Object.assign(migration, {
    execute,
    getEntityManager: onQuery,
    driver: closed,
    config: closedConfiguration,
  });
  Object.defineProperty(migration, 'ctx', { get: onQuery, configurable: true });
  return {
    reconnect() {
      for (const name of ['execute', 'getEntityManager', 'ctx']) Reflect.deleteProperty(migration, name);
      Object.assign(migration, { driver: handles, config: configuration });
    },
    release: () => released.resolve(),
  };
}

/** Calls `onQuery` whenever a migration takes its driver, which all queries need. */
export function watchQueries(migration: Migration, onQuery: () => void): void {
  const driver: unknown = Reflect.get(migration, 'driver');
  Object.defineProperty(migration, 'driver', {
    get() {
      onQuery();
      return driver;
    },
  });
}
