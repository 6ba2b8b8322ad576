import type { Settings } from '../../settings/resolve-settings.ts';
import type { ConnectOptions } from './orm-options.ts';

/** Returns the connection options of the settings. */
export function connectOptions(settings: Settings): ConnectOptions {
  return {
    poolMode: settings.poolMode.value,
    namedStatements: settings.namedStatements.value,
    pool: {
      max: settings['pool.max'].value,
      acquireTimeout: settings['pool.acquireTimeout'].value,
      idleTimeout: settings['pool.idleTimeout'].value,
      maxLifetime: settings['pool.maxLifetime'].value,
    },
    timeouts: {
      statement: settings['timeouts.statement'].value,
      lock: settings['timeouts.lock'].value,
      idleInTransaction: settings['timeouts.idleInTransaction'].value,
      answer: settings['timeouts.answer'].value,
    },
  };
}
