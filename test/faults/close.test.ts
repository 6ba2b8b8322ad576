import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DatabaseClosedError, PoolTimeoutError, openDatabase } from '../../src/index.ts';
import { TestDatabase, anExperiment } from '../../src/testing/index.ts';
import { failureOf } from '../database/told.ts';
import { Watched, timed } from './watched.ts';

describe('closing a database', () => {
  let db: TestDatabase;
  let watched: Watched;
  beforeAll(async () => void (db = await TestDatabase.create()));
  beforeEach(async () => void (watched = await Watched.open(db)));
  afterEach(() => watched.close());
  afterAll(() => db.drop());

  const never = Promise.withResolvers<never>().promise;
  const stored = async (name: string): Promise<number> =>
    (await db.orm.em.fork().execute('select 1 from experiments where name = ?', [name])).length;

  test('waits for what runs, and refuses what comes', async () => {
    const goOn = Promise.withResolvers<void>();
    const running = watched.database.transact(async (uow) => {
      anExperiment(uow.em, { name: 'ran on' });
      await uow.flush();
      await goOn.promise;
    });
    await expect.poll(() => watched.held()).toBe(1);

    const closing = watched.database.close();
    const [refused, unread] = [
      await failureOf(watched.database.transact(async () => {})),
      await failureOf(watched.database.read(async () => {})),
    ];
    goOn.resolve();
    await running;
    await closing;

    expect(refused).toBeInstanceOf(DatabaseClosedError);
    expect(unread).toBeInstanceOf(DatabaseClosedError);
    expect(await stored('ran on')).toBe(1);
    await expect.poll(() => watched.backends()).toEqual([]);
  });

  test.each(['a statement', 'something else', 'a connection', 'a read'])(
    'after its deadline ends what still waits for %s',
    async (what) => {
      const holding = [1, 2].map(() =>
        failureOf(
          watched.database.transact(async ({ em }) => {
            anExperiment(em, { name: what });
            await em.flush();
            await (what === 'a statement' ? em.execute('select pg_sleep(60)') : never);
          }),
        ),
      );
      await expect.poll(() => watched.held()).toBe(2);
      if (what === 'a connection') holding.push(failureOf(watched.database.transact(async () => {})));
      if (what === 'a read') holding.push(failureOf(watched.database.read(() => never)));

      const took = await timed(() => watched.database.close({ timeout: 200 }));

      expect(took).toBeGreaterThan(190);
      expect(took).toBeLessThan(1_000);
      for (const failure of await Promise.all(holding)) expect(failure).toBeInstanceOf(DatabaseClosedError);
      await expect.poll(() => watched.backends()).toEqual([]);
      expect(await stored(what)).toBe(0);
    },
  );

  test('ends although the server says nothing any more', async () => {
    const waiting = failureOf(watched.database.transact(({ em }) => em.execute('select pg_sleep(60)')));
    await watched.runs(/pg_sleep/);
    watched.proxy.failNow('silent');
    watched.proxy.accepting = 'silently';
    const connecting = failureOf(watched.database.transact(async () => {}));

    const took = await timed(() => watched.database.close({ timeout: 100 }));

    expect(took).toBeLessThan(2_500);
    expect(await waiting).toBeInstanceOf(DatabaseClosedError);
    expect(await connecting).toBeInstanceOf(DatabaseClosedError);
    await watched.kill();
  });

  test('ends although somebody took a connection past it', async () => {
    const pool = await watched.database.orm.em.getConnection().getNativeClient();
    await pool.connect();

    expect(await timed(() => watched.database.close({ timeout: 100 }))).toBeLessThan(2_500);

    await expect.poll(() => watched.backends()).toEqual([]);
  });

  test('may be asked for time and again', async () => {
    await Promise.all([watched.database.close(), watched.database.close()]);
    await watched.database.close();

    await expect.poll(() => watched.backends()).toEqual([]);
  });

  test('comes with the end of a block, and does not hide why that ended', async () => {
    const failure = new Error('the first');

    const failed = failureOf(
      (async () => {
        await using database = await openDatabase({ url: `${watched.proxy.url()}&application_name=faults` });
        void failureOf(database.transact(({ em }) => em.execute('select pg_sleep(60)')));
        await watched.runs(/pg_sleep/);
        watched.proxy.failNow('reset');
        throw failure;
      })(),
    );

    expect(await failed).toBe(failure);
  });
});

describe('a pool of which no connection is free in time', () => {
  test.each(['transact', 'read'] as const)('says how large it is, and what helps: %s', async (method) => {
    await using db = await TestDatabase.create();
    const watched = await Watched.open(db, { pool: { max: 2, acquireTimeout: 150 } });
    const held = Promise.withResolvers<void>();
    const holders = [1, 2].map(() =>
      watched.database.transact(async ({ em }) => {
        await em.execute('select 1');
        await held.promise;
      }),
    );
    await expect.poll(() => watched.held()).toBe(2);

    const failure = await failureOf(watched.database[method](({ experiments }) => experiments.find('exp_1')));

    expect(failure).toBeInstanceOf(PoolTimeoutError);
    expect(failure).toMatchObject({ message: expect.stringMatching(/150 ms: all 2 .*pool\.max/) });
    held.resolve();
    await Promise.all(holders);
    await watched.isWhole();
    await watched.close();
  });
});
