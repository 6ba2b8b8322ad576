import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { ConnectionError, ConnectionLostError, openDatabase } from '../../../src/index.ts';
import { TestDatabase } from '../../../src/testing/index.ts';
import { rejectionOf } from '../../database/reported-error.ts';

/** A message of the protocol. */
function message(type: string, ...numbers: number[]): Buffer {
  const body = Buffer.alloc(4 + 4 * numbers.length);
  body.writeInt32BE(body.length);
  for (const [index, number] of numbers.entries()) body.writeInt32BE(number, 4 + 4 * index);
  return Buffer.concat([Buffer.from(type), body]);
}

test.each([
  // Kerberos, and an unassigned method.
  ['disable', message('R', 7)],
  ['disable', message('R', 4711)],
  ['prefer', message('R', 7)],
  ['disable', Buffer.from('Tx')],
  ['disable', Buffer.concat([message('R', 0), message('T', 0x7fff0000)])],
])('an unreadable answer during the login is a failed connection: %s, %j', async (sslmode, says) => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (asked) => {
      // An SSLRequest has eight bytes, a login has more.
      socket.write(asked.length === 8 ? 'N' : says);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // oxlint-disable-line typescript/no-unsafe-type-assertion -- it listens on a port

  const failure = await rejectionOf(
    openDatabase({
      url: `postgresql://u:canary@127.0.0.1:${port}/d?sslmode=${sslmode}`,
      pool: { acquireTimeout: 500 },
    }),
  );

  for (const socket of sockets) socket.destroy();
  server.close();
  expect(failure).toBeInstanceOf(ConnectionError);
  expect(String(failure)).toMatch(/can't read|no answer in time/);
});

test('an unreadable answer after the login is a lost connection, and fails only its unit of work', async () => {
  await using db = await TestDatabase.create();
  await using database = await openDatabase({ url: db.url });

  const failure = await rejectionOf(
    database.transact(async ({ em }) => {
      const pool = await database.orm.em.getConnection().getNativeClient();
      const running = em.execute('select pg_sleep(0.2)');
      // oxlint-disable-next-line eslint/no-underscore-dangle -- the driver's own name
      const [client] = Reflect.get(pool, '_clients') as { connection: { stream: Socket } }[]; // oxlint-disable-line typescript/no-unsafe-type-assertion -- the driver's own list
      client?.connection.stream.emit('data', message('R', 4711));
      return running;
    }),
  );

  expect(failure).toBeInstanceOf(ConnectionLostError);
  expect(failure).toMatchObject({ message: expect.stringContaining("can't read") });
  expect(await database.transact(({ em }) => em.execute('select 1 as one'))).toEqual([{ one: 1 }]);
});
