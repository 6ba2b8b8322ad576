import type { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TestDatabase } from '../../src/testing/index.ts';
import { connectThrough, copy, executeUnsynced } from './protocol-client.ts';
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
    client = await connectThrough(proxy);
  });
  afterEach(() => proxy.close());
  afterAll(() => db.drop());

  /** Returns the committed rows. */
  const stored = async (): Promise<number[]> =>
    (await db.orm.em.execute<{ n: number }[]>('select n from counted order by n')).map(({ n }) => n);

  /** Returns the number of server processes for clients of the proxy. */
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
      expect(proxy.triggered).toEqual(['select 1']);
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

  describe('a broken connection', () => {
    test.each([
      ['cut', 'Connection terminated unexpectedly'],
      ['reset', 'read ECONNRESET'],
    ] as const)('%s: breaks before the statement is sent', async (fault, what) => {
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
    ])('after %s was sent leaves it executed', async (_, text, values) => {
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

      await expect(executeUnsynced(client, 'insert into counted values (1)')).rejects.toThrow(
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

    test('can be every connection', async () => {
      const other = await connectThrough(proxy);
      const ended = Promise.all(
        [client, other].map((one) => new Promise<void>((resolve) => void one.once('end', resolve))),
      );

      proxy.failNow('cut');

      await ended;
      await expect.poll(() => proxy.connections).toBe(0);
      expect((await (await connectThrough(proxy)).query('select 1')).rowCount).toBe(1);
    });
  });

  describe('silence', () => {
    test('affects both sides: neither sees the other close', async () => {
      const other = await connectThrough(proxy);
      proxy.failAt(2, 'silent');
      await client.query('begin');
      const answer = client.query('insert into counted values (1)');
      const ended = answer.catch(String);

      await proxy.allTriggered();

      // If the server detected the loss, it would do so before this connection is cut.
      await expect.poll(backends).toBe(2);
      proxy.failAt(/now/, 'cut');
      await expect(other.query('select now()')).rejects.toThrow();
      await expect.poll(backends).toBe(1);
      expect(await unsettled(answer)).toBe(true);
      expect(proxy.connections).toBe(1);
      await proxy.close();
      expect(await ended).toContain('terminated');
    });

    test('half-open affects the client only: the server sees the close', async () => {
      proxy.failAt(2, 'half-open');
      await client.query('begin');
      const answer = client.query('insert into counted values (1)');
      const ended = answer.catch(String);

      await proxy.allTriggered();

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
    await proxy.allTriggered();

    expect(await unsettled(one)).toBe(true);
    expect(await stored()).toEqual([]);
    event.resolve();
    await Promise.all([one, two]);

    expect(await stored()).toEqual([1, 2]);
  });
});

/** Returns whether `promise` is still pending after a turn of the event loop. */
function unsettled(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([
    promise.then(
      () => false,
      () => false,
    ),
    new Promise<boolean>((resolve) => void setImmediate(resolve, true)),
  ]);
}
