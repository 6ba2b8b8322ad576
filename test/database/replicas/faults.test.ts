import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  UnitOfWork,
  openDatabase,
  type Database,
  type EntityManager,
  type ReadingUnitOfWork,
} from '../../../src/index.ts';
import { parseDatabaseUrl } from '../../../src/settings/database-url.ts';
import { within } from '../../faults/proxied-database.ts';
import { WireProxy } from '../../proxy/wire-proxy.ts';
import { rejectionOf } from '../reported-error.ts';
import { StreamingPair, ask } from './streaming-pair.ts';

const answer = 500;
const replica = { from: 'replica' } as const;

/** Returns the entity manager, which the type of a reading unit of work hides. */
function emOf(uow: ReadingUnitOfWork): EntityManager {
  if (!(uow instanceof UnitOfWork)) throw new Error('another unit of work than ours');
  return uow.em;
}

async function server(uow: ReadingUnitOfWork): Promise<'replica' | 'primary'> {
  const [row] = await emOf(uow).execute<{ standby: boolean }[]>('select pg_is_in_recovery() as standby');
  return row?.standby ? 'replica' : 'primary';
}

/** Waits until the replica is read from. */
function answers(database: Database): Promise<void> {
  return expect.poll(() => database.read(server, replica), { timeout: 10_000 }).toBe('replica');
}

describe('a read from a replica', { timeout: 60_000 }, () => {
  let pair: StreamingPair;
  let proxy: WireProxy;
  let database: Database;
  beforeAll(async () => void (pair = await StreamingPair.start()));
  beforeEach(async () => {
    proxy = await WireProxy.start(parseDatabaseUrl(pair.replicaUrl, 'url'));
    database = await openDatabase({
      url: pair.primaryUrl,
      replicaUrls: [proxy.url()],
      pool: { max: 1, acquireTimeout: 1_000 },
      timeouts: { answer },
    });
    await answers(database);
  });
  afterEach(async () => {
    await within(4_000, () => database.close({ timeout: 500 }));
    await proxy.close();
  });
  afterAll(() => pair.remove());

  const asleep = () =>
    ask(
      pair.replicaUrl,
      `select pid from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'`,
    );

  test('is aborted by its signal, also on the replica, and is not repeated', async () => {
    const caller = new AbortController();
    const reason = new Error('given up');
    let runs = 0;
    const canceled = rejectionOf(
      database.read(
        (uow) => {
          runs += 1;
          return emOf(uow).execute('select pg_sleep(60)');
        },
        // Longer than the server may be silent.
        { ...replica, signal: caller.signal, timeouts: { statement: 0 } },
      ),
    );
    await expect.poll(asleep).toHaveLength(1);

    caller.abort(reason);

    expect(await canceled).toBe(reason);
    expect(runs).toBe(1);
    await expect.poll(asleep).toEqual([]);
    expect(await database.read(server, replica)).toBe('replica');
  });

  test.each(['silent', 'half-open', 'cut'] as const)(
    'that is %s is answered by the primary in time',
    async (fault) => {
      proxy.failAt(/pg_is_in_recovery\(\) as standby/, fault);

      await within(8 * answer, async () => expect(await database.read(server, replica)).toBe('primary'));

      proxy.failNow('cut');
    },
  );

  test('is answered by the primary when the pool of the replica is full', async () => {
    const enough = Promise.withResolvers<void>();
    const holding = database.read(
      async (uow) => {
        await server(uow);
        await enough.promise;
      },
      { ...replica, snapshot: true },
    );
    await expect.poll(() => proxy.statements.some((sql) => sql.includes('as standby'))).toBe(true);

    expect(await database.read(server, { ...replica, snapshot: true })).toBe('primary');

    enough.resolve();
    await holding;
  });

  test('does not delay closing when the replica is silent', async () => {
    const own = await openDatabase({
      url: pair.primaryUrl,
      replicaUrls: [proxy.url()],
      timeouts: { answer: 0 },
    });
    await answers(own);
    proxy.failAt(/pg_sleep/, 'silent');
    const reading = rejectionOf(own.read((uow) => emOf(uow).execute('select pg_sleep(60)'), replica));
    await proxy.allTriggered();

    await within(4_000, () => own.close({ timeout: 200 }));

    expect(await reading).toMatchObject({ code: 'database_closed' });
    proxy.failNow('cut');
  });
});
