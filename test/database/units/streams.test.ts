import { setImmediate, setTimeout } from 'node:timers/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Experiment } from '../../../src/entities.ts';
import type { Tables } from '../../../src/entities/tables.ts';
import {
  ConcurrentUseError,
  DatabaseClosedError,
  UnfinishedWorkError,
  openDatabase,
  type UnitOfWork,
} from '../../../src/index.ts';
import { TestDatabase, anExperiment } from '../../../src/testing/index.ts';
import { scorecard } from '../../operations/scorecard.ts';
import { collect } from './collect.ts';

let db: TestDatabase;
let id: string;
beforeAll(async () => {
  db = await TestDatabase.create();
  id = await db.transact(async ({ em }) => {
    // More than a cursor fetches at once.
    for (let i = 0; i < 300; i++) anExperiment(em);
    return anExperiment(em).id;
  });
});
afterAll(() => db.drop());

const streams: [name: string, open: (u: UnitOfWork) => AsyncIterableIterator<unknown>][] = [
  ['em.stream', (u) => u.em.stream(Experiment)],
  ['a stream of Kysely', (u) => u.em.getKysely<Tables>().selectFrom('experiments').selectAll().stream(10)],
  ['a stream of the query builder', (u) => u.em.createQueryBuilder(Experiment).stream()],
];

const transactions = async (): Promise<number> => {
  const [row] = await db.orm.em
    .fork()
    .execute<{ n: number }[]>(
      'select count(*)::int as n from pg_stat_activity where xact_start is not null and datname = current_database() and pid <> pg_backend_pid()',
    );
  return row?.n ?? -1;
};

describe.for(streams)('%s', ([, open]) => {
  const wait = async (u: UnitOfWork): Promise<void> => {
    await open(u).next();
    await setTimeout(60_000, undefined, { ref: false });
  };

  test('is closed at the end when it is left open, the error names it, and nothing is stored', async () => {
    for (let round = 0; round < 10; round++) {
      let rows: AsyncIterableIterator<unknown> | undefined;
      const work = db.transact(async (u) => {
        await u.experiments.update(id, { name: 'Not this' });
        await u.flush();
        rows = open(u);
        await rows.next();
      });

      await expect(work).rejects.toBeInstanceOf(UnfinishedWorkError);
      await expect(work).rejects.toMatchObject({ calls: ['a stream that was not read to its end'] });
      const rest = collect(rows ?? []);
      await expect(rest).rejects.toMatchObject({ message: expect.stringContaining('has ended') });
    }
    await expect.poll(transactions).toBe(0);
    expect((await db.read((u) => u.experiments.get(id))).name).toBe('Checkout in one step');
  });

  test('refuses a statement inside its loop at once, and allows it afterwards', async () => {
    await db.transact(async (u) => {
      for await (const row of open(u)) {
        expect(row).toBeDefined();
        await expect(u.experiments.get(id)).rejects.toBeInstanceOf(ConcurrentUseError);
        await expect(u.em.execute('select 1')).rejects.toBeInstanceOf(ConcurrentUseError);
        const read = u.em.getKysely<Tables>().selectFrom('experiments').selectAll().execute();
        await expect(read).rejects.toBeInstanceOf(ConcurrentUseError);
        break;
      }
      expect(await u.experiments.get(id)).toMatchObject({ id });
    });
  });

  test('continues when an inner unit is refused', async () => {
    await db.transact(async (u) => {
      const rows = open(u);
      await rows.next();
      const inner = u.transact(async () => {});
      const row = rows.next();

      await expect(inner).rejects.toBeInstanceOf(ConcurrentUseError);
      expect(await row).toMatchObject({ done: false });
      await rows.return?.();
    });
  });

  test('opens after the running call', async () => {
    const own = await db.transact(async ({ em }) => anExperiment(em).id);
    for (let turns = 0; turns < 30; turns++) {
      await db.transact(async (u) => {
        const experiment = await u.experiments.get(own);
        experiment.name = `Turn ${turns}`;
        const saved = u.experiments.saveScorecard(own, scorecard);
        // Sometimes after the first answers of the server.
        for (let turn = 0; turn < turns; turn++) await setImmediate();
        const rows = open(u);
        await Promise.all([saved, rows.next()]);
        await rows.return?.();
      });
      expect(await db.read((u) => u.experiments.get(own))).toMatchObject({ name: `Turn ${turns}` });
    }
    await db.orm.em.fork().nativeDelete(Experiment, { id: own });
  });

  test('returns all rows to a loop', async () => {
    expect(await db.transact(async (u) => (await collect(open(u))).length)).toBe(301);
  });

  test('is closed when work throws, and the error of work is thrown', async () => {
    const failure = new Error('no');
    const work = db.transact(async (u) => {
      await open(u).next();
      throw failure;
    });

    await expect(work).rejects.toBe(failure);
    await expect.poll(transactions).toBe(0);
  });

  test('is closed by a signal and by close while work waits', async () => {
    const database = await openDatabase({ url: db.url, pool: { max: 1 } });
    await expect(database.transact(wait, { signal: AbortSignal.timeout(100) })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    const running = database.transact(wait);
    running.catch(() => {});
    await expect.poll(transactions).toBe(1);

    const began = performance.now();
    await database.close({ timeout: 300 });

    await expect(running).rejects.toBeInstanceOf(DatabaseClosedError);
    expect(performance.now() - began).toBeLessThan(30_000);
  });
});

test('an open COPY is ended, the error names it, and the connection stays usable', async () => {
  for (let round = 0; round < 5; round++) {
    const work = db.transact(async (u) => {
      const copy = copyFrom('copy experiments (id) from stdin');
      copy.on('error', () => {});
      const kysely = u.em.getKysely();
      await kysely.executeQuery({
        ...kysely.selectNoFrom((eb) => eb.lit(1).as('one')).compile(),
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the driver takes such a query as well as a text
        sql: copy as unknown as string,
        parameters: [],
      });
    });

    await expect(work).rejects.toMatchObject({ code: 'unfinished_work', calls: ['a COPY'] });
  }
  expect(await db.transact((u) => u.em.execute('select 1 as one'))).toEqual([{ one: 1 }]);
});
