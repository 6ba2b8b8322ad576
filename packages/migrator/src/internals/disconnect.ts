import type { Migration } from '@mikro-orm/migrations';
import type { MikroORM } from '@mikro-orm/postgresql';

/**
 * Closes every handle of the database to a migration: each use calls `onQuery`. Replaces the methods `execute` and `getEntityManager` and
 * the protected properties `driver` and `ctx`, which all access of the ORM's `Migration` class goes through.
 */
export function disconnect(orm: MikroORM, migration: Migration, onQuery: () => never): void {
  const driver = orm.em.getDriver();
  const closed = new Proxy(driver, {
    get: (_, key) => (key === 'getPlatform' ? () => driver.getPlatform() : onQuery()),
  });
  Object.assign(migration, { execute: onQuery, getEntityManager: onQuery, driver: closed });
  Object.defineProperty(migration, 'ctx', { get: onQuery });
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
