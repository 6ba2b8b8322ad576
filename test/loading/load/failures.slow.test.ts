import { setImmediate, setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Experiment } from '../../../src/entities.ts';
import { openDatabase, type Database } from '../../../src/index.ts';
import { loadModes, loadRows, type LoadedRow } from '../../../src/loading/index.ts';
import { TestDatabase } from '../../../src/testing/index.ts';
import { WireProxy } from '../../proxy/wire-proxy.ts';

describe('a load on a pool of one connection', () => {
  let db: TestDatabase;
  let proxy: WireProxy;
  let database: Database;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());
  beforeEach(async () => {
    await db.orm.em.fork().execute('delete from experiments');
    proxy = await WireProxy.start(db.target);
    database = await openDatabase({ url: proxy.url(), pool: { max: 1, acquireTimeout: 3_000 } });
  });
  afterEach(async () => {
    await database.close();
    await proxy.close();
  });

  const count = async (): Promise<number> => {
    const [found] = await db.orm.em
      .fork()
      .execute<{ n: number }[]>('select count(*)::int as n from experiments');
    return found?.n ?? Number.NaN;
  };
  async function* slow(): AsyncGenerator<LoadedRow<Experiment>> {
    yield* some(5_000);
    yield* some(5_000);
    const refused = `select 1 from pg_stat_activity where datname = current_database() and state = 'idle in transaction (aborted)'`;
    while ((await db.orm.em.fork().execute<object[]>(refused)).length === 0);
    yield* some(5_000);
  }
  const load = (mode: (typeof loadModes)[number], rows: AsyncIterable<LoadedRow<Experiment>>) =>
    loadRows(database, { entity: Experiment, mode, rows });

  const faults = ['cut', 'reset', 'error', 'cut after sending'] as const;
  test.each([
    ...faults.map((fault) => ['append', /^copy "experiments"/, fault] as const),
    ['append', /^copy "experiments"/, 'cut while copying'] as const,
    ...faults.map((fault) => ['upsert', /^create temporary table/, fault] as const),
    ...faults.map((fault) => ['upsert', /^copy pg_temp/, fault] as const),
    ['upsert', /^copy pg_temp/, 'cut while copying'] as const,
    ...faults.map((fault) => ['upsert', /^with written/, fault] as const),
  ])('by %s that fails at %s (%s) rolls back and keeps the pool usable', async (mode, at, fault) => {
    for (let time = 0; time < 2; time++) {
      proxy.failAt(at, fault);
      await expect(load(mode, some(5_000))).rejects.toThrow();
    }

    expect(proxy.armed).toBe(0);
    expect(await load('upsert', some(10))).toMatchObject({ inserted: 10 });
    expect(await count()).toBe(10);
  });

  test.each(loadModes)('by %s whose rows throw rolls back and keeps the pool usable', async (mode) => {
    const fault = new Error('no more rows');
    for (const before of [0, 1, 20_000]) {
      await expect(load(mode, failing(before, fault))).rejects.toBe(fault);
    }

    expect(await load('append', some(10))).toMatchObject({ inserted: 10 });
    expect(await count()).toBe(10);
  });

  test('releases its connection when aborted', async () => {
    const aborted = new AbortController();
    const loading = load('append', abortable(aborted.signal));
    aborted.abort(new Error('enough'));

    await expect(loading).rejects.toThrow('enough');
    expect(await load('append', some(10))).toMatchObject({ inserted: 10 });
    expect(await count()).toBe(10);
  });

  test('stops reading rows once PostgreSQL refuses one', async () => {
    let taken = 0;
    async function* endless(): AsyncGenerator<LoadedRow<Experiment>> {
      for (;;) yield row(String(taken++ % 2));
    }

    await expect(load('append', endless())).rejects.toMatchObject({ name: 'DuplicateError', row: 3 });
    expect(taken).toBeLessThan(1_000_000);
  });

  test('throws the error of PostgreSQL while the source is slow', async () => {
    await expect(load('append', slow())).rejects.toMatchObject({ name: 'DuplicateError', row: 5_001 });
  });

  test('reads rows with backpressure', async () => {
    const blocker = await openDatabase({ url: db.url });
    let taken = 0;
    async function* counted(): AsyncGenerator<LoadedRow<Experiment>> {
      for await (const one of some(100_000)) {
        taken += 1;
        yield one;
      }
    }
    const [reached, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const blocking = blocker.transact(async ({ em }) => {
      await em.execute('lock table experiments in exclusive mode');
      reached.resolve();
      await held.promise;
    });
    await reached.promise;

    const loading = load('append', counted());
    let [before, still] = [-1, 0];
    // Until it takes no more for a while.
    while (still < 50) {
      await setTimeout(10);
      still = before === taken ? still + 1 : 0;
      before = taken;
    }
    expect(taken).toBeLessThan(100_000);

    held.resolve();
    await blocking;
    expect(await loading).toMatchObject({ inserted: 100_000 });
    await blocker.close();
  });

  test.each(['append', 'upsert'] as const)(
    'by %s waits for rows longer than the answer timeout',
    async (mode) => {
      await using patient = await openDatabase({ url: db.url, timeouts: { answer: 100 } });

      expect(await loadRows(patient, { entity: Experiment, mode, rows: rare() })).toMatchObject({
        inserted: 5_001,
      });
    },
  );

  test.each(['append', 'upsert'] as const)(
    'by %s refuses rows that read through its own unit of work',
    async (mode) => {
      await database.transact(async (uow) => {
        async function* copies(): AsyncGenerator<LoadedRow<Experiment>> {
          yield row('first');
          const { name, hypothesis } = await uow.experiments.get('first');
          yield { id: 'second', name, hypothesis };
        }
        const loaded = loadRows(uow, { entity: Experiment, mode, rows: copies() });

        await expect(loaded).rejects.toThrow('another unit of work');
        expect(await loadRows(uow, { entity: Experiment, mode, rows: [row('next')] })).toMatchObject({
          inserted: 1,
        });
      });
      expect(await count()).toBe(1);
    },
  );

  test('without the TEMPORARY privilege says what to grant, and append does not need it', async () => {
    const { database: name } = db.target.parts;
    const role = `loader_${name}`;
    const admin = db.orm.em.fork();
    await admin.execute(`create role "${role}" login password 'x'`);
    await admin.execute(`revoke temporary on database "${name}" from public`);
    await admin.execute(`grant select, insert, update on experiments to "${role}"`);
    const { host, port } = db.target.parts;
    const limited = await openDatabase({
      url: `postgresql://${role}:x@${host}:${port}/${name}`,
      schemaBehind: 'ignore',
      schemaAhead: 'ignore',
    });
    try {
      const upsert = loadRows(limited, { entity: Experiment, mode: 'upsert', rows: some(3) });
      await expect(upsert).rejects.toMatchObject({
        name: 'ForbiddenError',
        message: expect.stringContaining(`grant temporary on database "${name}" to "${role}"`),
      });
      expect(await loadRows(limited, { entity: Experiment, mode: 'append', rows: some(3) })).toMatchObject({
        inserted: 3,
      });
    } finally {
      await limited.close();
      await admin.execute(`drop owned by "${role}"; drop role "${role}"`);
    }
  });

  test('leaves no temporary table behind', async () => {
    await database.transact(async (uow) => {
      await loadRows(uow, { entity: Experiment, mode: 'upsert', rows: some(3) });
      const left = await uow.em.execute(`select 1 from pg_class where relname = 'synth_lab_data_load'`);
      expect(left).toEqual([]);
    });
  });
});

function row(id: string): LoadedRow<Experiment> {
  return { id, name: 'name', hypothesis: 'hypothesis' };
}

async function* some(count: number): AsyncGenerator<LoadedRow<Experiment>> {
  for (let n = 0; n < count; n++) yield row(`e${n}`);
}

async function* rare(): AsyncGenerator<LoadedRow<Experiment>> {
  // More than is sent at once, so that the server has had some.
  yield* some(5_000);
  await setTimeout(500);
  yield row('late');
}

async function* failing(before: number, fault: Error): AsyncGenerator<LoadedRow<Experiment>> {
  yield* some(before);
  throw fault;
}

async function* abortable(signal: AbortSignal): AsyncGenerator<LoadedRow<Experiment>> {
  for (let n = 0; ; n++) {
    await setImmediate();
    signal.throwIfAborted();
    yield row(`e${n}`);
  }
}
