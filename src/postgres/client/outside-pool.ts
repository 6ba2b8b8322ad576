import type { MikroORM } from '@mikro-orm/postgresql';
import { Connections } from './connections.ts';
import type { TxClient } from './tx-client.ts';

const terminated = 'Connection terminated';

/**
 * Runs `work` on a new connection outside the pool of `orm`, made as the pool makes its own, and ends the connection. It is
 * dropped when `signal` is aborted.
 *
 * @throws what the driver throws when no connection can be made, or when it is dropped; whatever `work` throws.
 */
export async function outsidePool<T>(
  orm: MikroORM,
  signal: AbortSignal,
  work: (client: TxClient) => Promise<T>,
): Promise<T> {
  const { options } = await orm.em.getConnection().getNativeClient();
  if (signal.aborted) throw new Error(terminated);
  const client = new (Connections.of(orm).Client)(options);
  const drop = (): void => client.drop(new Error(terminated));
  signal.addEventListener('abort', drop, { once: true });
  // An error of a connection that nobody waits for must not end the process.
  client.on('error', () => {});
  try {
    // With a callback: its errors are marked as met while connecting.
    await new Promise<void>((resolve, reject) => {
      client.connect((error: Error | null) => (error ? reject(error) : resolve()));
    });
    // It returns a promise, whatever the driver's types say.
    await Promise.resolve(options.onConnect?.(client));
    return await work(client);
  } finally {
    signal.removeEventListener('abort', drop);
    // Nobody has to wait for a goodbye.
    void client.end().catch(() => {});
  }
}
