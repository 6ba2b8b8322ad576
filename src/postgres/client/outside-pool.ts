import type { MikroORM } from '@mikro-orm/postgresql';
import { Connections } from './connections.ts';
import type { TxClient } from './tx-client.ts';

const terminated = 'Connection terminated';

/**
 * Runs `work` on a new connection outside the pool of `orm`, with the pool's configuration, and closes it. When `signal` is aborted, the
 * connection is dropped.
 *
 * @throws the driver's error when no connection can be made, or when it is dropped; errors of `work`.
 */
export async function withClientOutsidePool<T>(
  orm: MikroORM,
  signal: AbortSignal,
  work: (client: TxClient) => Promise<T>,
): Promise<T> {
  const { options } = await orm.em.getConnection().getNativeClient();
  if (signal.aborted) throw new Error(terminated);
  const client = new (Connections.of(orm).Client)(options);
  const drop = (): void => client.drop(new Error(terminated));
  signal.addEventListener('abort', drop, { once: true });
  // Without a listener, an error of the connection would end the process.
  client.on('error', () => {});
  try {
    // With a callback, errors are marked as `whileConnecting`.
    await new Promise<void>((resolve, reject) => {
      client.connect((error: Error | null) => (error ? reject(error) : resolve()));
    });
    // It returns a promise, which the driver's types lack.
    await Promise.resolve(options.onConnect?.(client));
    return await work(client);
  } finally {
    signal.removeEventListener('abort', drop);
    // Not awaited: the server may not answer.
    void client.end().catch(() => {});
  }
}
