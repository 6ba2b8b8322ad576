import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DatabaseClosedError, PoolTimeoutError, openDatabase } from '../../src/index.ts';
import { TestDatabase, anExperiment } from '../../src/testing/index.ts';
import { rejectionOf } from '../database/reported-error.ts';
import { ProxiedDatabase, durationOf } from './proxied-database.ts';

describe('closing a database', () => {
  let db: TestDatabase;
  let proxied: ProxiedDatabase;
  beforeAll(async () => void (db = await TestDatabase.create()));
  beforeEach(async () => void (proxied = await ProxiedDatabase.open(db)));
  afterEach(() => proxied.close());
  afterAll(() => db.drop());

  const never = Promise.withResolvers<never>().promise;
  const stored = async (name: string): Promise<number> =>
    (await db.orm.em.fork().execute('select 1 from experiments where name = ?', [name])).length;

  test('waits for running units of work, and refuses new ones', async () => {
    const goOn = Promise.withResolvers<void>();
    const running = proxied.database.transact(async (uow) => {
      anExperiment(uow.em, { name: 'ran on' });
      await uow.flush();
      await goOn.promise;
    });
    await expect.poll(() => proxied.checkedOut()).toBe(1);

    const closing = proxied.database.close();
    const [refused, unread] = [
      await rejectionOf(proxied.database.transact(async () => {})),
      await rejectionOf(proxied.database.read(async () => {})),
    ];
    goOn.resolve();
    await running;
    await closing;

    expect(refused).toBeInstanceOf(DatabaseClosedError);
    expect(unread).toBeInstanceOf(DatabaseClosedError);
    expect(await stored('ran on')).toBe(1);
    await expect.poll(() => proxied.backends()).toEqual([]);
  });

  test.each(['a statement', 'something else', 'a connection', 'a read'])(
    'after its timeout aborts a unit of work that waits for %s',
    async (what) => {
      const holding = [1, 2].map(() =>
        rejectionOf(
          proxied.database.transact(async ({ em }) => {
            anExperiment(em, { name: what });
            await em.flush();
            await (what === 'a statement' ? em.execute('select pg_sleep(60)') : never);
          }),
        ),
      );
      await expect.poll(() => proxied.checkedOut()).toBe(2);
      if (what === 'a connection') holding.push(rejectionOf(proxied.database.transact(async () => {})));
      if (what === 'a read') holding.push(rejectionOf(proxied.database.read(() => never)));

      const took = await durationOf(() => proxied.database.close({ timeout: 200 }));

      expect(took).toBeGreaterThan(190);
      expect(took).toBeLessThan(1_000);
      for (const failure of await Promise.all(holding)) expect(failure).toBeInstanceOf(DatabaseClosedError);
      await expect.poll(() => proxied.backends()).toEqual([]);
      expect(await stored(what)).toBe(0);
    },
  );

  test('ends when the server is silent', async () => {
    const waiting = rejectionOf(proxied.database.transact(({ em }) => em.execute('select pg_sleep(60)')));
    await proxied.waitUntilRunning(/pg_sleep/);
    proxied.proxy.failNow('silent');
    proxied.proxy.accepting = 'silently';
    const connecting = rejectionOf(proxied.database.transact(async () => {}));

    const took = await durationOf(() => proxied.database.close({ timeout: 100 }));

    expect(took).toBeLessThan(2_500);
    expect(await waiting).toBeInstanceOf(DatabaseClosedError);
    expect(await connecting).toBeInstanceOf(DatabaseClosedError);
    await proxied.kill();
  });

  test('ends when a connection was checked out of the pool directly', async () => {
    const pool = await proxied.database.orm.em.getConnection().getNativeClient();
    await pool.connect();

    expect(await durationOf(() => proxied.database.close({ timeout: 100 }))).toBeLessThan(2_500);

    await expect.poll(() => proxied.backends()).toEqual([]);
  });

  test('can be requested repeatedly', async () => {
    await Promise.all([proxied.database.close(), proxied.database.close()]);
    await proxied.database.close();

    await expect.poll(() => proxied.backends()).toEqual([]);
  });

  test('happens at the end of a block, and keeps the error of the block', async () => {
    const failure = new Error('the first');

    const failed = rejectionOf(
      (async () => {
        await using database = await openDatabase({ url: `${proxied.proxy.url()}&application_name=faults` });
        void rejectionOf(database.transact(({ em }) => em.execute('select pg_sleep(60)')));
        await proxied.waitUntilRunning(/pg_sleep/);
        proxied.proxy.failNow('reset');
        throw failure;
      })(),
    );

    expect(await failed).toBe(failure);
  });
});

describe('a pool without a free connection in time', () => {
  test.each(['transact', 'read'] as const)(
    'throws an error with its size and the remedy: %s',
    async (method) => {
      await using db = await TestDatabase.create();
      const proxied = await ProxiedDatabase.open(db, { pool: { max: 2, acquireTimeout: 150 } });
      const held = Promise.withResolvers<void>();
      const holders = [1, 2].map(() =>
        proxied.database.transact(async ({ em }) => {
          await em.execute('select 1');
          await held.promise;
        }),
      );
      await expect.poll(() => proxied.checkedOut()).toBe(2);

      const failure = await rejectionOf(
        proxied.database[method](({ experiments }) => experiments.find('exp_1')),
      );

      expect(failure).toBeInstanceOf(PoolTimeoutError);
      expect(failure).toMatchObject({ message: expect.stringMatching(/150 ms: all 2 .*pool\.max/) });
      held.resolve();
      await Promise.all(holders);
      await proxied.expectRecovered();
      await proxied.close();
    },
  );
});
