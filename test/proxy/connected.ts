import { Client, type Connection } from 'pg';
import { message } from '../../packages/migrator/test/kit/proxy/message.ts';
import type { WireProxy } from './wire-proxy.ts';

/** A client of the driver's own, connected through `proxy`, which bears losing its connection. */
export async function connected(proxy: WireProxy): Promise<Client> {
  const client = new Client(proxy.url());
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Copies lines into `table`, as the wire protocol does it. */
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

/** Executes a prepared statement and asks for its answer, but not for its end, as a cursor does. */
export function executed(client: Client, sql: string): Promise<void> {
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
