import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CommitUnknownError, ConnectionError, ConnectionLostError } from '../../src/index.ts';
import { TestDatabase, anExperiment } from '../../src/testing/index.ts';
import { failureOf } from '../database/told.ts';
import { Watched, inTime, timed } from './watched.ts';

const answer = 300;

describe('a network that goes silent', () => {
  let db: TestDatabase;
  let watched: Watched;
  beforeAll(async () => void (db = await TestDatabase.create()));
  afterEach(async () => {
    await inTime(2_500, () => watched.database.close());
    await watched.close();
  });
  afterAll(() => db.drop());

  const open = async (): Promise<void> => {
    watched = await Watched.open(db, { timeouts: { answer }, pool: { max: 2, acquireTimeout: 1_000 } });
  };

  test.each([
    ['silent', /^begin/],
    ['silent', /^insert/],
    ['half-open', /^begin/],
    ['half-open', /^insert/],
  ] as const)('%s at %s ends the unit of work in time', async (fault, at) => {
    await open();
    watched.proxy.failAt(at, fault);

    const took = await timed(async () => {
      const failure = await failureOf(watched.database.transact(async ({ em }) => void anExperiment(em)));
      expect(failure).toBeInstanceOf(ConnectionLostError);
      expect(failure).toMatchObject({ message: expect.stringContaining('no answer in time') });
    });

    expect(took).toBeLessThan(4 * answer);
    watched.proxy.failNow('cut');
    await watched.isWhole();
  });

  test.each(['silent', 'half-open'] as const)(
    '%s at the commit leaves its outcome unknown',
    async (fault) => {
      await open();
      watched.proxy.failAt(/^commit/, fault);

      const failure = await failureOf(watched.database.transact(async ({ em }) => void anExperiment(em)));

      expect(failure).toBeInstanceOf(CommitUnknownError);
      watched.proxy.failNow('cut');
      await watched.isWhole();
    },
  );

  test('is borne with for as long as a statement of the unit of work may take, and no longer by the next', async () => {
    await open();
    const slow = 'select pg_sleep(0.9), 1 as one';

    const patient = await watched.database.transact(({ em }) => em.execute(slow), {
      timeouts: { statement: 30_000 },
    });
    const endless = await watched.database.transact(({ em }) => em.execute(slow), {
      timeouts: { statement: 0 },
    });
    const next = await failureOf(watched.database.transact(({ em }) => em.execute(slow)));

    expect([patient, endless]).toMatchObject([[{ one: 1 }], [{ one: 1 }]]);
    expect(next).toBeInstanceOf(ConnectionLostError);
    await watched.isWhole();
  });

  test('while all connections were idle costs one unit of work, not one for each', async () => {
    await open();
    await Promise.all(
      [1, 2].map(() => watched.database.transact(({ em }) => em.execute('select pg_sleep(0.05)'))),
    );
    expect(await watched.backends()).toHaveLength(2);
    watched.proxy.failNow('silent');

    const failure = await failureOf(watched.database.transact(({ em }) => em.execute('select 1')));

    expect(failure).toBeInstanceOf(ConnectionLostError);
    expect(await watched.database.transact(({ em }) => em.execute('select 2 as two'))).toEqual([{ two: 2 }]);
    expect(await watched.held()).toBe(0);
  });

  test('in which connections are accepted and never answered refuses in time', async () => {
    await open();
    await watched.kill();
    watched.proxy.accepting = 'silently';
    await expect.poll(() => watched.backends()).toEqual([]);

    const took = await timed(async () => {
      const failure = await failureOf(watched.database.transact(async () => {}));
      expect(failure).toBeInstanceOf(ConnectionError);
      expect(failure).toMatchObject({ message: expect.stringContaining('no answer in time') });
    });

    expect(took).toBeLessThan(1_500);
    watched.proxy.accepting = true;
    await watched.isWhole();
  });

  test('does not take a slow reader for one: a stream that waits for us may do so', async () => {
    await open();
    const seen: unknown[] = [];

    await watched.database.transact(async ({ em }) => {
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
    await watched.isWhole();
  });
});
