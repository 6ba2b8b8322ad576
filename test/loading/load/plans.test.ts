import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { unconnected } from '../../../src/postgres/orm/unconnected.ts';
import { Experiment, SynthOutcome } from '../../../src/entities.ts';
import { Database, openDatabase } from '../../../src/index.ts';
import { loadModes, loadRows, type LoadOptions } from '../../../src/loading/index.ts';
import { TestDatabase, anAnalysisRun } from '../../../src/testing/index.ts';
import { WireProxy } from '../../proxy/wire-proxy.ts';

const rows = [
  { id: 'a', name: 'n', hypothesis: 'h' },
  { id: 'b', name: 'n', hypothesis: 'h', description: 'd' },
];
const experiments = { entity: Experiment, rows };
const outcome = { analysis: 'ana', didNotTryRate: 0, failedRate: 0, successRate: 1 };
const outcomes = {
  entity: SynthOutcome,
  key: ['analysis', 'synthId'] as const,
  rows: ['s1', 's2', 's3'].map((synthId) => ({ ...outcome, synthId })),
};

describe('a plan of a load', () => {
  let db: TestDatabase;
  let proxy: WireProxy;
  let database: Database;
  beforeAll(async () => {
    db = await TestDatabase.create();
    await db.transact(async ({ em }) => void anAnalysisRun(em, { id: 'ana' }));
  });
  afterAll(() => db.drop());
  beforeEach(async () => {
    proxy = await WireProxy.start(db.target);
    database = await openDatabase({ url: proxy.url() });
    proxy.reset();
  });
  afterEach(async () => {
    await database.close();
    await proxy.close();
  });

  /** What was planned, and what was then sent within its transaction. */
  const planned = async <E extends object>(
    options: LoadOptions<E>,
  ): Promise<[string[], readonly string[]]> => {
    proxy.reset();
    const { statements } = await loadRows(database, { ...options, planOnly: true });
    expect(proxy.statements).toEqual([]);
    await loadRows(database, options);
    return [statements.map(({ sql }) => sql), proxy.statements.slice(1, -1)];
  };

  test.each(loadModes)('by %s equals what is sent', async (mode) => {
    await db.orm.em.fork().execute('delete from synth_outcomes');
    await db.orm.em.fork().execute(`delete from experiments where id in ('a', 'b')`);
    const loads = [
      await planned({ ...experiments, mode }),
      await planned({ ...outcomes, mode }),
      ...(mode === 'append' ? [] : [await planned({ ...outcomes, mode, onDuplicate: 'last' })]),
    ];

    for (const [plan, sent] of loads) expect(plan).toEqual(sent);
  });

  test.each(loadModes)('by %s names the statement that carries the rows', async (mode) => {
    const plan = await loadRows(database, { ...outcomes, mode, planOnly: true });

    expect(plan.rows).toBe(3);
    expect(plan.statements.filter(({ rows: sent }) => sent > 0)).toEqual([
      { sql: expect.stringMatching(/^copy /), rows: 3 },
    ]);
  });

  test.each(loadModes)('by %s needs no connection', async (mode) => {
    const nowhere = new Database(unconnected());

    const plan = await loadRows(nowhere, { ...experiments, mode, planOnly: true });

    expect(plan.rows).toBe(2);
    expect(plan).toEqual(await loadRows(database, { ...experiments, mode, planOnly: true }));
  });

  test('throws the same row error as the load', async () => {
    const bad = [...rows, { id: 'c', name: 'n' }];
    const load = (planOnly: boolean) =>
      loadRows(database, { entity: Experiment, mode: 'upsert', rows: bad, planOnly });

    const error: unknown = await load(true).catch((thrown: unknown) => thrown);

    expect(error).toMatchObject({ name: 'InvalidRowError', row: 3, property: 'hypothesis' });
    await expect(load(false)).rejects.toEqual(error);
  });
});
