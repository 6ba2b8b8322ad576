import { createServer, connect } from 'node:net';
import { once } from 'node:events';
import type { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DatabaseTarget } from '../../src/settings/database-url.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import { connected, copy, executed } from './connected.ts';
import { message } from '../../packages/migrator/test/kit/proxy/message.ts';
import { WireProxy } from './wire-proxy.ts';

describe('through a wire proxy', () => {
  let db: TestDatabase;
  let proxy: WireProxy;
  let client: Client;
  beforeAll(async () => {
    db = await TestDatabase.create();
    await db.orm.em.execute('create table counted (n int)');
  });
  beforeEach(async () => {
    await db.orm.em.execute('truncate counted');
    proxy = await WireProxy.start(db.target);
    client = await connected(proxy);
  });
  afterEach(() => proxy.close());
  afterAll(() => db.drop());

  /** What others see. */
  const stored = async (): Promise<number[]> =>
    (await db.orm.em.execute<{ n: number }[]>('select n from counted order by n')).map(({ n }) => n);

  /** The server's processes for clients that came through the proxy. */
  const backends = async (): Promise<number> => {
    const [row] = await db.orm.em.execute<{ n: number }[]>(
      'select count(*)::int as n from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    return row?.n ?? 0;
  };

  describe('an error', () => {
    test('replaces the n-th statement, which is not sent to the server', async () => {
      proxy.failAt(2, 'error');
      await client.query('insert into counted values (1)');

      const failed = client.query('insert into counted values (2)');

      await expect(failed).rejects.toMatchObject({ code: 'XX000', severity: 'ERROR' });
      await client.query('insert into counted values (3)');
      expect(await stored()).toEqual([1, 3]);
    });

    test('has the given code, and fails the transaction', async () => {
      proxy.failAt(/^insert/, { error: '40001' });
      await client.query('begin');

      const failed = client.query('insert into counted values ($1)', [1]);

      await expect(failed).rejects.toMatchObject({ code: '40001' });
      await expect(client.query('select 1')).rejects.toMatchObject({ code: '25P02' });
      await client.query('rollback');
      await expect(client.query('select 1')).resolves.toMatchObject({ rowCount: 1 });
    });

    test('occurs after the preceding statements of a text', async () => {
      proxy.failAt(3, 'error');

      const failed = client.query('begin; insert into counted values (1) -- one\n; commit; select 1');

      await expect(failed).rejects.toMatchObject({ code: 'XX000' });
      expect(proxy.statements).toEqual(['begin', 'insert into counted values (1) -- one', 'commit']);
      await client.query('rollback');
      expect(await stored()).toEqual([]);
    });

    test('occurs once', async () => {
      proxy.failAt(/./, 'error');
      expect(proxy.armed).toBe(1);

      await expect(client.query('select 1')).rejects.toThrow();

      expect(proxy.armed).toBe(0);
      expect(proxy.struck).toEqual(['select 1']);
      await expect(client.query('select 1')).resolves.toBeDefined();
    });

    test('does not replace errors of the server', async () => {
      proxy.failAt(2, { error: '40001' });

      await expect(client.query('select 1/0; select 1')).rejects.toMatchObject({ code: '22012' });
    });

    test('refuses a copy', async () => {
      proxy.failAt(/^copy/, 'error');

      await expect(copy(client, 'counted', ['1'])).rejects.toMatchObject({ code: 'XX000' });
      expect(await stored()).toEqual([]);
    });
  });

  describe('a connection that breaks', () => {
    test.each([
      ['cut', 'Connection terminated unexpectedly'],
      ['reset', 'read ECONNRESET'],
    ] as const)('%s: does so before the statement is sent', async (fault, what) => {
      proxy.failAt(1, fault);

      await expect(client.query('insert into counted values (1)')).rejects.toThrow(what);

      await expect.poll(backends).toBe(0);
      expect(await stored()).toEqual([]);
    });

    test('in a transaction rolls it back', async () => {
      proxy.failAt(3, 'cut');
      await client.query('begin');
      await client.query('insert into counted values (1)');

      await expect(client.query('commit')).rejects.toThrow('terminated unexpectedly');

      await expect.poll(backends).toBe(0);
      expect(await stored()).toEqual([]);
    });

    test.each([
      ['a query', 'insert into counted values (1)', undefined],
      ['an execute', 'insert into counted values ($1)', [1]],
    ])('after %s was sent leaves it carried out', async (_, text, values) => {
      proxy.failAt(1, 'cut after sending');

      await expect(client.query(text, values)).rejects.toThrow('terminated unexpectedly');

      expect(await stored()).toEqual([1]);
    });

    test('after a commit was sent leaves it committed', async () => {
      proxy.failAt(/commit/, 'cut after sending');
      await client.query('begin');
      await client.query('insert into counted values (1)');

      await expect(client.query('commit')).rejects.toThrow('terminated unexpectedly');

      expect(await stored()).toEqual([1]);
    });

    test('after a lone execute was sent rolls it back', async () => {
      proxy.failAt(1, 'cut after sending');

      await expect(executed(client, 'insert into counted values (1)')).rejects.toThrow(
        'terminated unexpectedly',
      );

      await expect.poll(backends).toBe(0);
      expect(await stored()).toEqual([]);
    });

    test('after a copy was sent rolls it back', async () => {
      proxy.failAt(/^copy/, 'cut after sending');

      await expect(copy(client, 'counted', ['1'])).rejects.toThrow('terminated unexpectedly');

      await expect.poll(backends).toBe(0);
      expect(await stored()).toEqual([]);
    });

    test('during a copy rolls it back', async () => {
      proxy.failAt(/^copy/, 'cut while copying');

      await expect(copy(client, 'counted', ['1', '2'])).rejects.toThrow('terminated unexpectedly');

      await expect.poll(backends).toBe(0);
      expect(await stored()).toEqual([]);
    });

    test('may be every connection', async () => {
      const other = await connected(proxy);
      const ended = Promise.all(
        [client, other].map((one) => new Promise<void>((resolve) => void one.once('end', resolve))),
      );

      proxy.failNow('cut');

      await ended;
      await expect.poll(() => proxy.connections).toBe(0);
      expect((await (await connected(proxy)).query('select 1')).rowCount).toBe(1);
    });
  });

  describe('silence', () => {
    test('affects both sides: neither sees the other close', async () => {
      const other = await connected(proxy);
      proxy.failAt(2, 'silent');
      await client.query('begin');
      const answer = client.query('insert into counted values (1)');
      const ended = answer.catch(String);

      await proxy.haveStruck();

      // Had the server been told, it would have been told before this one is cut.
      await expect.poll(backends).toBe(2);
      proxy.failAt(/now/, 'cut');
      await expect(other.query('select now()')).rejects.toThrow();
      await expect.poll(backends).toBe(1);
      expect(await unsettled(answer)).toBe(true);
      expect(proxy.connections).toBe(1);
      await proxy.close();
      expect(await ended).toContain('terminated');
    });

    test('half-open affects the client only: the server sees it close', async () => {
      proxy.failAt(2, 'half-open');
      await client.query('begin');
      const answer = client.query('insert into counted values (1)');
      const ended = answer.catch(String);

      await proxy.haveStruck();

      await expect.poll(backends).toBe(0);
      expect(await unsettled(answer)).toBe(true);
      await proxy.close();
      expect(await ended).toContain('terminated');
    });
  });

  test('holds back a statement, and what its client sends after it, until an event', async () => {
    const event = Promise.withResolvers<void>();
    proxy.failAt(1, { after: () => event.promise });
    const one = client.query('insert into counted values (1)');
    const two = client.query('insert into counted values (2)');
    await proxy.haveStruck();

    expect(await unsettled(one)).toBe(true);
    expect(await stored()).toEqual([]);
    event.resolve();
    await Promise.all([one, two]);

    expect(await stored()).toEqual([1, 2]);
  });

  test('refuses connections while it does not accept', async () => {
    proxy.accepting = false;
    await expect(connected(proxy)).rejects.toThrow();

    proxy.accepting = true;
    await expect(connected(proxy)).resolves.toBeDefined();
  });

  test('closes the connection when the server is unreachable', async () => {
    await using nowhere = await WireProxy.start(new DatabaseTarget({ ...db.target.parts, port: 1 }));

    await expect(connected(nowhere)).rejects.toThrow('terminated unexpectedly');
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

  test('passes encrypted traffic on', async () => {
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

/** Agrees to encryption, then says back what it is told. */
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

/** Whether `promise` is still open after a round of the event loop. */
function unsettled(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([
    promise.then(
      () => false,
      () => false,
    ),
    new Promise<boolean>((resolve) => void setImmediate(resolve, true)),
  ]);
}
