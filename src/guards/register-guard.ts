import type { Configuration, EventSubscriber, Platform } from '@mikro-orm/core';

/** The extension of the ORM by which the whole configuration is known to be in force. */
export const connectionsExtension = 'synthLabConnections';

const warned = new WeakSet<Configuration>();

/**
 * Makes `Guard` a subscriber of the ORM that is about to start. The type of a column calls this when the ORM discovers it, which comes
 * before the ORM makes its entity manager: a guarded column always has its guard, in any configuration of the ORM.
 */
export function registerGuard(platform: Platform, Guard: new () => EventSubscriber): void {
  const config = platform.getConfig();
  const subscribers = config.get('subscribers');
  if (![...subscribers].some((subscriber) => subscriber instanceof Guard)) {
    // Last, so that it sees what the others have made of a flush.
    config.set('subscribers', [...subscribers, new Guard()]);
  }
  if (config.getExtension(connectionsExtension) !== undefined || warned.has(config)) return;
  warned.add(config);
  process.emitWarning(
    'MikroORM has entities of synth-lab-data without their configuration: shapes of documents and row versions are checked, but ' +
      'flushes outside a transaction are not refused, rows that the database deletes along are not forgotten, lost connections keep ' +
      'their place in the pool, and parameters of the URL such as sslmode are dropped; ' +
      'initialize it with the options that withSynthLab(options) returns',
    { code: 'SYNTHDB_NOT_CONFIGURED' },
  );
}
