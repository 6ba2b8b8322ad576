import { Client, type Connection } from 'pg';
import { message } from '../../packages/migrator/test/kit/proxy/message.ts';
import type { WireProxy } from './wire-proxy.ts';

/** Connects a client of the driver through `proxy`. The loss of its connection does not end the process. */
export async function connectThrough(proxy: WireProxy): Promise<Client> {
  const client = new Client(proxy.url());
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Copies lines into `table` by the messages of the protocol. */
export function copy(client: Client, table: string, lines: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query({
      submit: (connection: Connection) => connection.query(`copy ${table} from stdin`),
      handleCopyInResponse: ({ stream }: Connection) =>
        stream.write(
          Buffer.concat([...lines.map((line) => message('d', Buffer.from(`${line}\n`))), message('c')]),
        ),
      handleCommandComplete: () => {},
      handleReadyForQuery: () => resolve(),
      handleError: reject,
    });
  });
}

/** Executes a prepared statement and flushes its answer without a `Sync`, as a cursor does. */
export function executeUnsynced(client: Client, sql: string): Promise<void> {
  const messages = [
    message('P', '', sql, Buffer.alloc(2)),
    message('B', '', '', Buffer.alloc(6)),
    message('E', '', Buffer.alloc(4)),
    message('H'),
  ];
  return new Promise((resolve, reject) => {
    client.query({
      submit: ({ stream }: Connection) => void stream.write(Buffer.concat(messages)),
      handleCommandComplete: () => resolve(),
      handleError: reject,
    });
  });
}
