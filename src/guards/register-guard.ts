import type { Configuration, EventSubscriber, Platform } from '@mikro-orm/core';

/** The name of the ORM extension that only the complete configuration has. */
export const connectionsExtension = 'synthLabConnections';

/**
 * A subscriber of flushes that needs nothing of them but their change sets, and changes no more than their payloads. A flush of changes of many
 * rows, which the ORM does not compute, calls it too.
 */
export interface BatchSubscriber extends EventSubscriber {
  readonly acceptsBatches: true;
}

/** Returns whether a subscriber is a `BatchSubscriber`. */
export function acceptsBatches(subscriber: EventSubscriber): subscriber is BatchSubscriber {
  return 'acceptsBatches' in subscriber && subscriber.acceptsBatches === true;
}

const warned = new WeakSet<Configuration>();

/**
 * Registers `Guard` as a subscriber of the ORM, once. The type of a column calls this when the ORM discovers the column, before it creates
 * its entity manager. So a guarded column has its guard in any configuration of the ORM. Without the complete configuration, emits the
 * process warning `SYNTHDB_NOT_CONFIGURED` once.
 */
export function registerGuard(platform: Platform, Guard: new () => EventSubscriber): void {
  const config = platform.getConfig();
  const subscribers = config.get('subscribers');
  if (![...subscribers].some((subscriber) => subscriber instanceof Guard)) {
    // Last, so that it checks the changes of the other subscribers.
    config.set('subscribers', [...subscribers, new Guard()]);
  }
  if (config.getExtension(connectionsExtension) !== undefined || warned.has(config)) return;
  warned.add(config);
  process.emitWarning(
    'MikroORM has entities of synth-lab-data without their configuration: shapes of documents and row versions are checked, but ' +
      'flushes outside a transaction are not refused, rows deleted by a cascade stay in the identity map, lost connections keep their ' +
      'slot in the pool, and parameters of the URL such as sslmode are ignored; ' +
      'initialize it with the options that withSynthLab(options) returns',
    { code: 'SYNTHDB_NOT_CONFIGURED' },
  );
}
