import { createServer, connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DatabaseTarget } from '../../src/settings/database-url.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import { message } from '../../packages/migrator/test/kit/proxy/message.ts';
import { connectThrough } from './protocol-client.ts';
import { WireProxy } from './wire-proxy.ts';

describe('a wire proxy', () => {
  let db: TestDatabase;
  let proxy: WireProxy;
  beforeAll(async () => void (db = await TestDatabase.create()));
  beforeEach(async () => void (proxy = await WireProxy.start(db.target)));
  afterEach(() => proxy.close());
  afterAll(() => db.drop());

  test('refuses connections while it does not accept', async () => {
    proxy.accepting = false;
    await expect(connectThrough(proxy)).rejects.toThrow();

    proxy.accepting = true;
    await expect(connectThrough(proxy)).resolves.toBeDefined();
  });

  test('closes the connection when the server is unreachable', async () => {
    await using nowhere = await WireProxy.start(new DatabaseTarget({ ...db.target.parts, port: 1 }));

    await expect(connectThrough(nowhere)).rejects.toThrow('terminated unexpectedly');
  });

  test('declines encryption, and the client may continue', async () => {
    const socket = connect(proxy.target.parts.port, '127.0.0.1');
    socket.write(sslRequest);
    const [answer]: Buffer[] = await once(socket, 'data');
    expect(answer?.toString()).toBe('N');

    const { user, database } = db.target.parts;
    const parameters = ['user', user, 'database', database, ''];
    socket.write(message('', Buffer.from([0, 3, 0, 0]), ...parameters));

    const [login]: Buffer[] = await once(socket, 'data');
    expect(login?.toString('latin1', 0, 1)).toBe('R');
    socket.destroy();
  });

  test('forwards encrypted traffic', async () => {
    await using echo = await echoServer();
    await using blind = await WireProxy.start(new DatabaseTarget({ ...db.target.parts, port: echo.port }));
    const socket = connect(blind.target.parts.port, '127.0.0.1');

    socket.write(sslRequest);
    expect(String(await once(socket, 'data'))).toBe('S');
    socket.write('Q\0\0\0\u000dselect 1\0, or so it seems');

    expect(String(await once(socket, 'data'))).toBe('Q\0\0\0\u000dselect 1\0, or so it seems');
    expect(blind.statements).toEqual([]);
  });
});

const sslRequest = message('', Buffer.from([0x04, 0xd2, 0x16, 0x2f]));

/** Starts a server that accepts encryption, and then returns what it receives. */
async function echoServer(): Promise<AsyncDisposable & { port: number }> {
  const server = createServer((socket) => {
    socket.once('data', () => {
      socket.write('S');
      socket.pipe(socket);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : 0,
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}
