import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CommitUnknownError, ConnectionError, ConnectionLostError } from '../../src/index.ts';
import { TestDatabase, anExperiment } from '../../src/testing/index.ts';
import { rejectionOf } from '../database/reported-error.ts';
import { ProxiedDatabase, within, durationOf } from './proxied-database.ts';

const answer = 300;

describe('a silent network', () => {
  let db: TestDatabase;
  let proxied: ProxiedDatabase;
  beforeAll(async () => void (db = await TestDatabase.create()));
  afterEach(async () => {
    await within(2_500, () => proxied.database.close());
    await proxied.close();
  });
  afterAll(() => db.drop());

  const open = async (): Promise<void> => {
    proxied = await ProxiedDatabase.open(db, {
      timeouts: { answer },
      pool: { max: 2, acquireTimeout: 1_000 },
    });
  };

  test.each([
    ['silent', /^begin/],
    ['silent', /^insert/],
    ['half-open', /^begin/],
    ['half-open', /^insert/],
  ] as const)('%s at %s ends the unit of work in time', async (fault, at) => {
    await open();
    proxied.proxy.failAt(at, fault);

    const took = await durationOf(async () => {
      const failure = await rejectionOf(proxied.database.transact(async ({ em }) => void anExperiment(em)));
      expect(failure).toBeInstanceOf(ConnectionLostError);
      expect(failure).toMatchObject({ message: expect.stringContaining('no answer in time') });
    });

    expect(took).toBeLessThan(4 * answer);
    proxied.proxy.failNow('cut');
    await proxied.expectRecovered();
  });

  test.each(['silent', 'half-open'] as const)(
    '%s at the commit leaves its outcome unknown',
    async (fault) => {
      await open();
      proxied.proxy.failAt(/^commit/, fault);

      const failure = await rejectionOf(proxied.database.transact(async ({ em }) => void anExperiment(em)));

      expect(failure).toBeInstanceOf(CommitUnknownError);
      proxied.proxy.failNow('cut');
      await proxied.expectRecovered();
    },
  );

  test('is accepted for the statement timeout of the unit of work, but not by the next one', async () => {
    await open();
    const slow = 'select pg_sleep(0.9), 1 as one';

    const patient = await proxied.database.transact(({ em }) => em.execute(slow), {
      timeouts: { statement: 30_000 },
    });
    const endless = await proxied.database.transact(({ em }) => em.execute(slow), {
      timeouts: { statement: 0 },
    });
    const next = await rejectionOf(proxied.database.transact(({ em }) => em.execute(slow)));

    expect([patient, endless]).toMatchObject([[{ one: 1 }], [{ one: 1 }]]);
    expect(next).toBeInstanceOf(ConnectionLostError);
    await proxied.expectRecovered();
  });

  test('while all connections are idle fails one unit of work, not one for each connection', async () => {
    await open();
    await Promise.all(
      [1, 2].map(() => proxied.database.transact(({ em }) => em.execute('select pg_sleep(0.05)'))),
    );
    expect(await proxied.backends()).toHaveLength(2);
    proxied.proxy.failNow('silent');

    const failure = await rejectionOf(proxied.database.transact(({ em }) => em.execute('select 1')));

    expect(failure).toBeInstanceOf(ConnectionLostError);
    expect(await proxied.database.transact(({ em }) => em.execute('select 2 as two'))).toEqual([{ two: 2 }]);
    expect(await proxied.checkedOut()).toBe(0);
  });

  test('that accepts connections but never answers is a failed connection in time', async () => {
    await open();
    await proxied.kill();
    proxied.proxy.accepting = 'silently';
    await expect.poll(() => proxied.backends()).toEqual([]);

    const took = await durationOf(async () => {
      const failure = await rejectionOf(proxied.database.transact(async () => {}));
      expect(failure).toBeInstanceOf(ConnectionError);
      expect(failure).toMatchObject({ message: expect.stringContaining('no answer in time') });
    });

    expect(took).toBeLessThan(1_500);
    proxied.proxy.accepting = true;
    await proxied.expectRecovered();
  });

  test('is not detected while a stream waits for a slow reader', async () => {
    await open();
    const seen: unknown[] = [];

    await proxied.database.transact(async ({ em }) => {
      for await (const row of em
        .getKysely()
        .selectNoFrom((eb) => eb.lit(1).as('one'))
        .stream(1)) {
        await new Promise((resolve) => setTimeout(resolve, 2 * answer));
        seen.push(row);
      }
      await new Promise((resolve) => setTimeout(resolve, 2 * answer));
    });

    expect(seen).toEqual([{ one: 1 }]);
    await proxied.expectRecovered();
  });
});
