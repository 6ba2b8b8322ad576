import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { UnavailableError, type UnitOfWork } from '../../src/index.ts';
import { TestDatabase, anExperiment } from '../../src/testing/index.ts';
import { rejectionOf } from '../database/reported-error.ts';
import { ProxiedDatabase, durationOf } from './proxied-database.ts';

const reason = new Error('the request was given up');
const sleep = ({ em }: UnitOfWork): Promise<unknown> => em.execute('select pg_sleep(60)');

describe('a signal', () => {
  let db: TestDatabase;
  let proxied: ProxiedDatabase;
  let caller: AbortController;
  beforeAll(async () => void (db = await TestDatabase.create()));
  beforeEach(async () => {
    proxied = await ProxiedDatabase.open(db);
    caller = new AbortController();
  });
  afterEach(() => proxied.close());
  afterAll(() => db.drop());

  const stored = async (): Promise<number> =>
    (await db.orm.em.fork().execute('select 1 from experiments')).length;

  /** Locks the experiments until the returned function is called. */
  const locked = async (): Promise<() => Promise<void>> => {
    const [isLocked, unlock] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const locking = db.transact(async ({ em }) => {
      await em.execute('lock table experiments');
      isLocked.resolve();
      await unlock.promise;
    });
    await isLocked.promise;
    return () => {
      unlock.resolve();
      return locking;
    };
  };

  test('that is already aborted prevents the beginning', async () => {
    caller.abort(reason);
    let began = false;

    const failure = await rejectionOf(
      proxied.database.transact(async () => void (began = true), { signal: caller.signal }),
    );

    expect(failure).toBe(reason);
    expect(began).toBe(false);
    expect(proxied.proxy.statements).toEqual([]);
  });

  test.each(['transact', 'read'] as const)(
    'cancels the running statement, also on the server: %s',
    async (method) => {
      const unlock = await locked();
      const failing = rejectionOf(
        proxied.database[method](({ experiments }) => experiments.find('exp_1'), { signal: caller.signal }),
      );
      await proxied.waitUntilRunning(/experiments/);

      const took = await durationOf(async () => {
        caller.abort(reason);
        expect(await failing).toBe(reason);
      });

      expect(took).toBeLessThan(900);
      await proxied.expectRecovered();
      await unlock();
    },
  );

  test('aborts a flush, whose changes are rolled back', async () => {
    const before = await stored();
    const unlock = await locked();
    const failing = rejectionOf(
      proxied.database.transact(async ({ em }) => void anExperiment(em), {
        signal: caller.signal,
        retries: 5,
      }),
    );
    await proxied.waitUntilRunning(/^insert/);

    caller.abort(reason);

    expect(await failing).toBe(reason);
    await proxied.expectRecovered();
    await unlock();
    expect(await stored()).toBe(before);
  });

  test('aborts the unit of work between two statements, and nothing is sent later', async () => {
    const before = await stored();
    const inBetween = Promise.withResolvers<void>();
    const late = Promise.withResolvers<unknown>();
    const failing = rejectionOf(
      proxied.database.transact(
        async (uow) => {
          anExperiment(uow.em);
          await uow.flush();
          inBetween.resolve();
          await failing;
          late.resolve(
            await rejectionOf(
              uow.em.execute(`insert into experiments (id, name, hypothesis) values ('exp_late', 'n', 'h')`),
            ),
          );
        },
        { signal: caller.signal },
      ),
    );
    await inBetween.promise;

    caller.abort(reason);

    expect(await failing).toBe(reason);
    expect(await late.promise).toBeInstanceOf(Error);
    await proxied.expectRecovered();
    expect(await stored()).toBe(before);
  });

  test.each<[string, (uow: UnitOfWork) => Promise<unknown>]>([
    ['its first statement', ({ em }) => em.execute('select 1')],
    ['its commit', () => Promise.resolve()],
  ])('before the answer to begin prevents: %s', async (_, work) => {
    const [isSent, isPassed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    proxied.proxy.failAt(/^begin/, {
      after: () => {
        isSent.resolve();
        return isPassed.promise;
      },
    });
    const failing = rejectionOf(proxied.database.transact(work, { signal: caller.signal }));
    await isSent.promise;

    caller.abort(reason);
    await expect.poll(() => proxied.proxy.cancels, { interval: 20 }).toBeGreaterThan(0);
    isPassed.resolve();

    expect(await failing).toBe(reason);
    await expect.poll(() => proxied.proxy.connections).toBe(0);
    expect(proxied.proxy.statements).toEqual(['begin']);
  });

  test('ends the wait for a free connection', async () => {
    const held = Promise.withResolvers<void>();
    const holders = [1, 2].map(() =>
      proxied.database.transact(async ({ em }) => {
        await em.execute('select 1');
        await held.promise;
      }),
    );
    await expect.poll(() => proxied.checkedOut()).toBe(2);
    const waiting = rejectionOf(proxied.database.transact(sleep, { signal: caller.signal }));
    const pool = await proxied.database.orm.em.getConnection().getNativeClient();
    await expect.poll(() => pool.waitingCount).toBe(1);

    expect(
      await durationOf(async () => {
        caller.abort(reason);
        expect(await waiting).toBe(reason);
      }),
    ).toBeLessThan(200);

    held.resolve();
    await Promise.all(holders);
    // The pool may assign a connection to the aborted wait, which returns it.
    await proxied.waitUntilReleased();
    await proxied.expectRecovered();
    expect(proxied.proxy.statements).not.toContain('select pg_sleep(60)');
  });

  test('ends the delay before a retry', async () => {
    let runs = 0;

    const failure = await rejectionOf(
      proxied.database.transact(
        async ({ em }) => {
          runs += 1;
          if (runs === 3) setImmediate(() => caller.abort(reason));
          proxied.proxy.failAt(/^select 'again'/, { error: '40001' });
          await em.execute(`select 'again'`);
        },
        { signal: caller.signal, retries: 1_000 },
      ),
    );

    expect(failure).toBe(reason);
    expect(runs).toBeLessThan(10);
    proxied.proxy.reset();
    await proxied.expectRecovered();
  });

  test('after the end has no effect', async () => {
    const before = await stored();
    await proxied.database.transact(async ({ em }) => void anExperiment(em), { signal: caller.signal });

    caller.abort(reason);

    await proxied.expectRecovered();
    expect(await stored()).toBe(before + 1);
  });

  test('during the commit does not abort it', async () => {
    await db.orm.em.execute(`
      create table slow (n int);
      create function linger() returns trigger language plpgsql as 'begin perform pg_sleep(0.3); return new; end';
      create constraint trigger linger after insert on slow deferrable initially deferred
        for each row execute function linger()`);
    const work = proxied.database.transact(({ em }) => em.execute('insert into slow values (1)'), {
      signal: caller.signal,
    });
    await proxied.waitUntilRunning(/^commit/);

    caller.abort(reason);

    await work;
    expect(await db.orm.em.fork().execute('select n from slow')).toEqual([{ n: 1 }]);
    await proxied.expectRecovered();
  });

  test('never affects the next unit of work on the connection', async () => {
    const rounds = Number(process.env['CANCELS'] ?? 40);
    const outcomes = new Set<unknown>();
    for (let round = 0; round < rounds; round++) {
      const one = new AbortController();
      const canceled = rejectionOf(
        proxied.database.transact(
          ({ em }) => em.execute(`select pg_sleep(${round % 4 === 0 ? 60 : 0.001})`),
          {
            signal: one.signal,
          },
        ),
      ).catch(() => 'done before');
      setTimeout(() => one.abort(reason), Math.random() * 12);
      const others = [1, 2, 3].map(() =>
        proxied.database
          .transact(({ em }) => em.execute('select pg_sleep(0.002)'))
          .catch((error: unknown) => error),
      );
      outcomes.add(await canceled);
      for (const outcome of await Promise.all(others)) expect(outcome).not.toBeInstanceOf(UnavailableError);
      expect((await Promise.all(others)).filter((outcome) => outcome instanceof Error)).toEqual([]);
    }

    expect(outcomes).toContain(reason);
    await proxied.expectRecovered();
  });
});
