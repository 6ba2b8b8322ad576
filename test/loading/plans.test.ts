import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { unconnected } from '../../src/database/unconnected.ts';
import { Experiment, SynthOutcome } from '../../src/entities/index.ts';
import { Database, openDatabase } from '../../src/index.ts';
import { loadModes, loadRows, type LoadOptions } from '../../src/loading/index.ts';
import { TestDatabase, anAnalysisRun } from '../../src/testing/index.ts';
import { WireProxy } from '../proxy/wire-proxy.ts';

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

  const compare = async <E extends object>(options: LoadOptions<E>): Promise<void> => {
    const plan = await loadRows(database, { ...options, planOnly: true });
    expect(proxy.statements).toEqual([]);

    await loadRows(database, options);

    expect(['begin', ...plan.statements.map(({ sql }) => sql), 'commit']).toEqual(proxy.statements);
    const count = [...(options.rows as Iterable<unknown>)].length;
    expect(plan).toMatchObject({ rows: count });
    expect(plan.statements.filter((statement) => statement.rows > 0)).toEqual([
      { sql: expect.stringMatching(/^copy /), rows: count },
    ]);
  };

  test.each(loadModes)('by %s is what is sent then', async (mode) => {
    await db.orm.em.fork().execute('delete from synth_outcomes');
    await db.orm.em.fork().execute(`delete from experiments where id in ('a', 'b')`);
    await compare({ ...experiments, mode });
    proxy.reset();
    await compare({ ...outcomes, mode });
    proxy.reset();
    if (mode !== 'append') await compare({ ...outcomes, mode, onDuplicate: 'last' });
  });

  test.each(loadModes)('by %s needs no connection', async (mode) => {
    const nowhere = new Database(unconnected());

    const plan = await loadRows(nowhere, { ...experiments, mode, planOnly: true });

    expect(plan.rows).toBe(2);
    expect(plan).toEqual(await loadRows(database, { ...experiments, mode, planOnly: true }));
  });

  test('finds the row that execution finds', async () => {
    const bad = [...rows, { id: 'c', name: 'n' }];
    const load = (planOnly: boolean) =>
      loadRows(database, { entity: Experiment, mode: 'upsert', rows: bad, planOnly });

    const planned: unknown = await load(true).catch((error: unknown) => error);

    expect(planned).toMatchObject({ name: 'InvalidRowError', row: 3, property: 'hypothesis' });
    await expect(load(false)).rejects.toEqual(planned);
  });
});
