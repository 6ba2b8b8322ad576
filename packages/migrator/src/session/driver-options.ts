import type { Options } from '@mikro-orm/postgresql';
import type { Pool, PoolConfig } from 'pg';
import { MigrationRefusedError } from './errors.ts';
import { interceptQueries, type Interceptor } from '../internals/intercept-queries.ts';

/** The options that the ORM passes to the driver's pool, and a hook that the ORM calls. */
export type DriverOptions = PoolConfig & { readonly onPoolCreated?: (pool: Pool) => unknown };

/** Returns the driver's options of a configuration; null when it has a Kysely instance or dialect instead. */
export function driverOptionsOf({ driverOptions }: Pick<Options, 'driverOptions'>): DriverOptions | null {
  const options: unknown = typeof driverOptions === 'function' ? driverOptions() : driverOptions;
  if (typeof options !== 'object' || options === null) return {};
  return 'createDriver' in options || 'getExecutor' in options ? null : options;
}

/**
 * Returns a configuration whose pool survives a connection that ends while it is idle: the driver emits an `error` for it, which ends a
 * process without a listener. The ORM has one since 7.2.
 */
export function withPoolErrorsHandled<T extends Pick<Options, 'driverOptions'>>(configuration: T): T {
  const options = driverOptionsOf(configuration);
  if (options === null) return configuration;
  const driverOptions = {
    ...options,
    onPoolCreated(pool: Pool) {
      // The next statement gets another connection.
      pool.on('error', () => {});
      return options.onPoolCreated?.(pool);
    },
  };
  return { ...configuration, driverOptions };
}

/**
 * Returns a configuration whose connections send their queries by an interceptor, one for each connection.
 *
 * @throws MigrationRefusedError when the ORM was given a Kysely instance or dialect.
 */
export function withQueriesIntercepted<T extends Pick<Options, 'driverOptions'>>(
  configuration: T,
  interceptorOf: () => Interceptor,
): T {
  const options = driverOptionsOf(configuration);
  if (options === null) {
    throw new MigrationRefusedError(
      'driverOptions holds a Kysely instance or dialect, and a scratch database needs separate connections: ' +
        'set the options of the connection instead',
    );
  }
  const driverOptions = {
    ...options,
    onPoolCreated(pool: Pool) {
      interceptQueries(pool, interceptorOf);
      return options.onPoolCreated?.(pool);
    },
  };
  return { ...configuration, driverOptions };
}
