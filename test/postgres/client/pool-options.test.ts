import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  PoolTimeoutError,
  openDatabase,
  ReadOnlyError,
  SettingsError,
  type Database,
  type OpenDatabaseOptions,
} from '../../../src/index.ts';
import { TestDatabase, anExperiment } from '../../../src/testing/index.ts';
import { barrier, concurrently } from '../../concurrency/concurrently.ts';
import { WireProxy } from '../../proxy/wire-proxy.ts';

let db: TestDatabase;
let proxy: WireProxy;
beforeAll(async () => void (db = await TestDatabase.create()));
beforeEach(async () => void (proxy = await WireProxy.start(db.target)));
afterEach(() => proxy.close());
afterAll(() => db.drop());

const open = (options: OpenDatabaseOptions): Promise<Database> =>
  openDatabase({ url: proxy.url(), ...options });

const process = async (database: Database): Promise<number | undefined> =>
  database.transact(async ({ em }) => {
    const [row] = await em.execute<{ pid: number }[]>('select pg_backend_pid() as pid');
    return row?.pid;
  });

describe('the pool', () => {
  test('throws when no connection is free in time', async () => {
    await using database = await open({ pool: { max: 1, acquireTimeout: 1_000 } });

    await database.transact(async ({ em }) => {
      await em.execute('select 1');
      const began = performance.now();
      await expect(process(database)).rejects.toBeInstanceOf(PoolTimeoutError);
      expect(performance.now() - began).toBeLessThan(4_000);
    });
  });

  test('closes an idle connection', async () => {
    await using database = await open({ pool: { idleTimeout: 50 } });

    await process(database);

    await expect.poll(() => proxy.connections).toBe(0);
  });

  test('replaces a connection of the maximum age between units of work', async () => {
    await using database = await open({ pool: { max: 1, maxLifetime: 300 } });
    const first = await process(database);

    await database.transact(async ({ em }) => em.execute('select pg_sleep(0.4)'));

    expect(await process(database)).not.toBe(first);
  });

  test.each<[OpenDatabaseOptions, string]>([
    [{ pool: { max: 0 } }, 'pool.max is "0"'],
    [{ pool: { max: 1.5 } }, 'pool.max is "1.5"'],
    [{ pool: { acquireTimeout: 0 } }, 'pool.acquireTimeout is "0"'],
    [{ pool: { acquireTimeout: Infinity } }, 'pool.acquireTimeout is "Infinity"'],
    [{ pool: { idleTimeout: -1 } }, 'pool.idleTimeout is "-1"'],
    [{ pool: { maxLifetime: 2 ** 31 } }, 'pool.maxLifetime is "2147483648"'],
    [
      { poolMode: 'external', pool: { idleTimeout: 5 } },
      'pool.idleTimeout has no effect with the pool mode external',
    ],
    [
      { poolMode: 'external', pool: { maxLifetime: 5 } },
      'pool.maxLifetime has no effect with the pool mode external',
    ],
    // @ts-expect-error -- plain JavaScript may give anything
    [{ poolMode: 'statement' }, 'poolMode is "statement": expected one of: session, transaction, external'],
  ])('refuses invalid options, and opens nothing: %o', async (options, says) => {
    const refused = open(options);

    await expect(refused).rejects.toBeInstanceOf(SettingsError);
    await expect(refused).rejects.toThrow(says);
    expect(proxy.connections).toBe(0);
  });
});

describe('with external pooling', () => {
  test('each unit of work opens one connection, and closes it', async () => {
    await using database = await open({ poolMode: 'external' });
    await expect.poll(() => proxy.connections).toBe(0);

    await database.transact(async (uow) => {
      anExperiment(uow.em);
      await uow.flush();
      await uow.experiments.pageSummaries();
      expect(proxy.connections).toBe(1);
    });
    await expect.poll(() => proxy.connections).toBe(0);
    proxy.reset();
    await database.read(async ({ experiments }) => {
      await experiments.pageSummaries();
      await experiments.find('exp_missing');
      expect(proxy.connections).toBe(1);
    });

    expect(proxy.statements.at(0)).toMatch(/^start transaction .* read only$/);
    expect(proxy.statements.at(-1)).toBe('commit');
    await expect.poll(() => proxy.connections).toBe(0);
  });

  test('the maximum of units of work run concurrently, and the others wait', async () => {
    await using database = await open({ poolMode: 'external', pool: { max: 3 } });
    await expect.poll(() => proxy.connections).toBe(0);
    const met = barrier(3);
    let most = 0;

    await concurrently(12, async () =>
      database.transact(async ({ em }) => {
        await em.execute('select 1');
        await met();
        most = Math.max(most, proxy.connections);
      }),
    );

    // A closing connection may still exist when the next one opens.
    expect(most).toBeLessThanOrEqual(6);
    await expect.poll(() => proxy.connections).toBe(0);
  });

  test('a read writes nothing', async () => {
    await using database = await open({ poolMode: 'external' });

    const writing = database.read(async ({ experiments }) => {
      const [experiment] = await experiments.scrollSummaries().then(({ data }) => data);
      const found = await experiments.get(experiment?.id ?? '');
      found.name = 'changed';
    });

    await expect(writing).rejects.toBeInstanceOf(ReadOnlyError);
  });
});
