import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../../src/index.ts';
import { TestDatabase, anExperiment } from '../../../src/testing/index.ts';
import type { Fault } from '../../../packages/migrator/test/kit/proxy/fault.ts';
import { WireProxy } from '../../proxy/wire-proxy.ts';

describe('a pool of one connection serves the next unit of work', () => {
  let db: TestDatabase;
  let proxy: WireProxy;
  let database: Database;
  beforeAll(async () => void (db = await TestDatabase.create()));
  beforeEach(async () => {
    proxy = await WireProxy.start(db.target);
    database = await openDatabase({ url: proxy.url(), pool: { max: 1, acquireTimeout: 2_000 } });
    proxy.reset();
  });
  afterEach(async () => {
    await database.close();
    await proxy.close();
  });
  afterAll(() => db.drop());

  const work = (name: string): Promise<void> =>
    database.transact(async (uow) => {
      anExperiment(uow.em, { name });
      await uow.flush();
      await uow.transact(async (inner) => void anExperiment(inner.em, { name }));
    });

  const stored = async (name: string): Promise<number> => {
    const rows = await db.orm.em.execute('select 1 from experiments where name = ?', [name]);
    return rows.length;
  };

  test.each(
    (['cut', 'reset', 'error'] as const).flatMap((fault) =>
      [/^begin/, /^insert/, /^savepoint/, /^release/, /^commit/].map((at) => ({ at, fault })),
    ),
  )('after $fault at $at', async ({ at, fault }) => {
    const name = `${fault} at ${at.source}`;
    proxy.failAt(at, fault);

    await expect(work(name)).rejects.toThrow();
    expect(await stored(name)).toBe(0);

    await work(name);
    expect(await stored(name)).toBe(2);
  });

  test.each<Fault>(['cut', 'reset', 'error', 'cut after sending'])(
    'after %o at a rollback',
    async (fault) => {
      const refusal = new Error('no');
      proxy.failAt(/^rollback$/, fault);

      const refused = database.transact(async ({ em }) => {
        anExperiment(em, { name: 'taken back' });
        await em.flush();
        throw refusal;
      });

      await expect(refused).rejects.toBe(refusal);
      expect(proxy.armed).toBe(0);
      await work(`after ${JSON.stringify(fault)}`);
      expect(await stored('taken back')).toBe(0);
    },
  );

  test.each(['begin', 'start transaction isolation level serializable'])(
    'after a %s that could not start in a transaction of the builder',
    async (begin) => {
      proxy.failAt(new RegExp(`^${begin}$`), 'error');
      const transaction = database.orm.em.fork().getKysely().transaction();

      const refused = (
        begin === 'begin' ? transaction : transaction.setIsolationLevel('serializable')
      ).execute(async () => {});

      await expect(refused).rejects.toMatchObject({ cause: { code: 'XX000' } });
      await work(begin);
    },
  );

  test('sends nothing after a refused begin', async () => {
    proxy.failAt(/^begin$/, 'error');

    await expect(work('never begun')).rejects.toThrow();

    expect(proxy.statements).toEqual(['begin']);
    expect(await stored('never begun')).toBe(0);
  });

  test('after the server process ended repeatedly', async () => {
    for (let death = 0; death < 3; death++) {
      const killed = database.transact(async ({ em }) => {
        const [row] = await em.execute<{ pid: number }[]>('select pg_backend_pid() as pid');
        await db.orm.em.execute('select pg_terminate_backend(?, 5000)', [row?.pid]);
        await em.execute('select 1');
      });
      await expect(killed).rejects.toThrow();
    }

    await work('after deaths');
    expect(await stored('after deaths')).toBe(2);
  });

  test.each(['cut', 'reset', 'error'] as const)('after a read with: %s', async (fault) => {
    proxy.failAt(1, fault);
    await expect(database.read(({ experiments }) => experiments.pageSummaries())).rejects.toThrow();

    await work(`after a read: ${fault}`);

    expect(await stored(`after a read: ${fault}`)).toBe(2);
  });

  test('after a read whose snapshot failed', async () => {
    proxy.failAt(2, 'cut');
    await expect(
      database.read(({ experiments }) => experiments.scrollSummaries(), { snapshot: true }),
    ).rejects.toThrow();

    const { data } = await database.read(({ experiments }) => experiments.scrollSummaries(), {
      snapshot: true,
    });

    expect(data).toBeInstanceOf(Array);
  });
});
