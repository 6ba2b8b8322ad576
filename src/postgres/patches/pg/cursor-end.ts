import type { Client } from 'pg';

/**
 * Makes `close` of a cursor settle when its connection is lost. The driver waits for the server's answer, which a lost connection never
 * gives, and so does each read of the cursor's rows.
 */
export function endCursorWithClient(query: object, client: Client, isLost: () => boolean): void {
  const close: unknown = Reflect.get(query, 'close');
  if (typeof close !== 'function' || !('_portal' in query)) return;
  const closeOrLose = async (): Promise<void> => {
    if (isLost()) return;
    const lost = Promise.withResolvers<void>();
    client.once('end', lost.resolve);
    try {
      await Promise.race([Reflect.apply(close, query, []), lost.promise]);
    } finally {
      client.off('end', lost.resolve);
    }
  };
  Object.assign(query, { close: closeOrLose });
}
