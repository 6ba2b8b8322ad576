import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Experiment, ScenarioNode, SynthOutcome } from '../../../src/entities.ts';
import {
  loadModes,
  loadRows,
  type LoadedRow,
  type LoadMode,
  type LoadOptions,
} from '../../../src/loading/index.ts';
import {
  TestDatabase,
  aSynthOutcome,
  anAnalysisRun,
  anExperiment,
  anExploration,
} from '../../../src/testing/index.ts';

describe('rows loaded', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());
  beforeEach(() => db.orm.em.fork().execute('delete from experiments'));

  const load = (mode: LoadMode, rows: LoadedRow<Experiment>[], more: Partial<LoadOptions<Experiment>> = {}) =>
    loadRows(db, { entity: Experiment, mode, rows, ...more, planOnly: false });
  const stored = (columns: string): Promise<object[]> =>
    db.orm.em.fork().execute(`select ${columns} from experiments order by id`);

  test('by append are all inserted', async () => {
    expect(await load('append', [experiment('a'), experiment('b')])).toEqual(
      counts({ rows: 2, inserted: 2 }),
    );

    expect(await stored('id')).toEqual([{ id: 'a' }, { id: 'b' }]);
  });

  test('by append are all rolled back when a key exists, and the error has the row number', async () => {
    await load('append', [experiment('b')]);

    await expect(load('append', [experiment('a'), experiment('b')])).rejects.toMatchObject({
      name: 'DuplicateError',
      constraint: 'experiments_pkey',
      row: 2,
    });
    expect(await stored('id')).toEqual([{ id: 'b' }]);
  });

  test('by upsert are inserted, or updated where they differ', async () => {
    await load('append', [experiment('a'), experiment('b')]);

    const rows = [experiment('a'), experiment('b', { name: 'other' }), experiment('c')];
    expect(await load('upsert', rows)).toEqual(counts({ rows: 3, inserted: 1, updated: 1, skipped: 1 }));

    expect(await stored('id, name, row_version, updated_at is not null as touched')).toEqual([
      { id: 'a', name: 'name', row_version: 1, touched: false },
      { id: 'b', name: 'other', row_version: 2, touched: true },
      { id: 'c', name: 'name', row_version: 1, touched: false },
    ]);
  });

  test('by upsert keep properties that a row leaves out, whatever other rows give', async () => {
    await load('append', [
      experiment('a', { description: 'mine', status: 'deleted' }),
      experiment('b', { description: 'mine', status: 'deleted' }),
      experiment('c', { description: 'mine' }),
    ]);

    await load('upsert', [
      experiment('a', { description: 'theirs' }),
      experiment('b', { status: 'active' }),
      experiment('c', { description: null }),
    ]);

    expect(await stored('id, description, status')).toEqual([
      { id: 'a', description: 'theirs', status: 'deleted' },
      { id: 'b', description: 'mine', status: 'active' },
      { id: 'c', description: null, status: 'active' },
    ]);
  });

  test('by upsert keep properties that the last row of a key leaves out, whatever its other rows give', async () => {
    const kept = { description: 'mine', status: 'deleted' } as const;
    await load('append', [experiment('a', kept), experiment('b', kept)]);

    await load(
      'upsert',
      [
        experiment('a', { description: 'first' }),
        experiment('b', { status: 'active' }),
        experiment('b', { description: 'last' }),
        experiment('a', { status: 'active' }),
      ],
      { onDuplicate: 'last' },
    );

    expect(await stored('id, description, status')).toEqual([
      { id: 'a', description: 'mine', status: 'active' },
      { id: 'b', description: 'last', status: 'deleted' },
    ]);
  });

  test('by upsert on another key keep the existing primary key', async () => {
    await db.transact(async ({ em }) => void anAnalysisRun(em, { id: 'ana' }));
    const upserted = (row: LoadedRow<SynthOutcome>) =>
      loadRows(db, { entity: SynthOutcome, mode: 'upsert', key: ['analysis', 'synthId'], rows: [row] });

    expect(await upserted(outcome('first', 'syn', 0.25))).toMatchObject({ inserted: 1 });
    expect(await upserted(outcome('second', 'syn', 0.75))).toMatchObject({ updated: 1 });

    expect(await db.orm.em.fork().execute('select id, success_rate from synth_outcomes')).toEqual([
      { id: 'first', success_rate: 0.75 },
    ]);
  });

  test('by delete_insert replace the rows with their keys and continue their versions', async () => {
    await load('append', [experiment('a', { description: 'old' }), experiment('b')]);

    const rows = [experiment('a'), experiment('c')];
    expect(await load('delete_insert', rows)).toEqual(counts({ rows: 2, inserted: 2, deleted: 1 }));

    expect(await stored('id, description, row_version')).toEqual([
      { id: 'a', description: null, row_version: 2 },
      { id: 'b', description: null, row_version: 1 },
      { id: 'c', description: null, row_version: 1 },
    ]);
  });

  test('by delete_insert on a key that is not unique replace every row with that key', async () => {
    await db.transact(async ({ em }) => {
      for (const analysis of ['ana_1', 'ana_2']) {
        anAnalysisRun(em, { id: analysis });
        for (const synthId of ['s1', 's2', 's3']) aSynthOutcome(em, { analysis, synthId });
      }
    });
    const rows = ['s3', 's4'].map((synthId) => ({
      analysis: 'ana_1',
      synthId,
      didNotTryRate: 0,
      failedRate: 0,
      successRate: 1,
    }));

    expect(
      await loadRows(db, { entity: SynthOutcome, mode: 'delete_insert', key: ['analysis'], rows }),
    ).toEqual(counts({ rows: 2, inserted: 2, deleted: 3 }));

    const found = await db.orm.em
      .fork()
      .execute<{ synths: string[] }[]>(
        'select array_agg(synth_id order by synth_id) as synths from synth_outcomes group by analysis_id order by analysis_id',
      );
    expect(found.map(({ synths }) => synths)).toEqual([
      ['s3', 's4'],
      ['s1', 's2', 's3'],
    ]);
  });

  test('by delete_insert may swap unique values', async () => {
    await db.transact(async ({ em }) => void anAnalysisRun(em, { id: 'ana' }));
    const loaded = (rows: LoadedRow<SynthOutcome>[]) =>
      db.transact(async (uow) => {
        await uow.em.execute('set local enable_hashjoin = off; set local enable_mergejoin = off');
        return loadRows(uow, { entity: SynthOutcome, mode: 'delete_insert', onDuplicate: 'last', rows });
      });
    await loaded([outcome('o1', 's1'), outcome('o2', 's2')]);

    expect(await loaded([outcome('o1', 's2'), outcome('o2', 's1')])).toMatchObject({
      deleted: 2,
      inserted: 2,
    });
  });

  test('by delete_insert keep references to each other despite on delete set null', async () => {
    await db.transact(async ({ em }) => void anExploration(em, { id: 'x' }));
    const rows = [node('leaf', 2, 'branch'), node('branch', 1, 'root'), node('root', 0, null)];
    const replaced = () => loadRows(db, { entity: ScenarioNode, mode: 'delete_insert', rows });
    await replaced();

    expect(await replaced()).toEqual(counts({ rows: 3, inserted: 3, deleted: 3 }));

    expect(await db.orm.em.fork().execute('select id, parent_id from scenario_nodes order by depth')).toEqual(
      [
        { id: 'root', parent_id: null },
        { id: 'branch', parent_id: 'root' },
        { id: 'leaf', parent_id: 'branch' },
      ],
    );
  });

  test('by insert_missing leave existing rows unchanged', async () => {
    await load('append', [experiment('a')]);

    const rows = [experiment('a', { name: 'other' }), experiment('b')];
    expect(await load('insert_missing', rows)).toEqual(counts({ rows: 2, inserted: 1, skipped: 1 }));

    expect(await stored('id, name')).toEqual([
      { id: 'a', name: 'name' },
      { id: 'b', name: 'name' },
    ]);
  });

  test('by fill_null update NULL only, count rows, and insert none', async () => {
    await load('append', [experiment('a'), experiment('b', { description: 'mine' }), experiment('c')]);

    const rows = [
      { id: 'a', description: 'filled', scorecardData: scorecard },
      { id: 'b', description: 'theirs', name: 'theirs' },
      { id: 'c', description: null },
      { id: 'd', description: 'nobody' },
    ];
    expect(await load('fill_null', rows)).toEqual(counts({ rows: 4, updated: 1, skipped: 3 }));

    expect(await stored('id, name, description, scorecard_data is null as bare, row_version')).toEqual([
      { id: 'a', name: 'name', description: 'filled', bare: false, row_version: 2 },
      { id: 'b', name: 'name', description: 'mine', bare: true, row_version: 1 },
      { id: 'c', name: 'name', description: null, bare: true, row_version: 1 },
    ]);
  });

  test('by fill_null that give only keys change nothing', async () => {
    await load('append', [experiment('a')]);

    expect(await load('fill_null', [{ id: 'a' }])).toEqual(counts({ rows: 1, skipped: 1 }));
    expect(await stored('row_version')).toEqual([{ row_version: 1 }]);
  });

  test.each(loadModes)('by %s may be an empty list', async (mode) => {
    await load('append', [experiment('a')]);

    expect(await load(mode, [])).toEqual(counts({}));
    expect(await stored('id')).toEqual([{ id: 'a' }]);
  });

  test.each(['upsert', 'insert_missing'] as const)(
    'by %s get generated keys where they have none',
    async (mode) => {
      const rows = [
        { name: 'name', hypothesis: 'h' },
        { name: 'name', hypothesis: 'h' },
      ];

      expect(await load(mode, rows)).toMatchObject({ inserted: 2 });
      expect(await stored(`id ~ '^exp_[0-9a-f-]{36}$' as minted`)).toEqual([
        { minted: true },
        { minted: true },
      ]);
    },
  );

  test.each(['upsert', 'delete_insert', 'fill_null'] as const)(
    'by %s may not bring a version, which counts changes',
    async (mode) => {
      await expect(load(mode, [experiment('a', { rowVersion: 7 })])).rejects.toMatchObject({
        name: 'InvalidRowError',
        row: 1,
        property: 'rowVersion',
      });
    },
  );

  test('by append may give a version', async () => {
    await load('append', [experiment('a', { rowVersion: 7 })]);

    expect(await stored('row_version')).toEqual([{ row_version: 7 }]);
  });

  test('fail the optimistic lock of a reader of the row that delete_insert replaced', async () => {
    const { id } = await db.transact(async ({ em }) => anExperiment(em, { id: 'a' }));

    const edited = db.transact(async (uow) => {
      const read = await uow.experiments.get(id);
      await load('delete_insert', [experiment('a')]);
      read.name = 'mine';
    });

    await expect(edited).rejects.toMatchObject({ name: 'ContentionError' });
  });
});

function counts(some: Partial<Record<'rows' | 'inserted' | 'updated' | 'deleted' | 'skipped', number>>) {
  return { rows: 0, inserted: 0, updated: 0, deleted: 0, skipped: 0, ...some };
}

function experiment(id: string, more: LoadedRow<Experiment> = {}): LoadedRow<Experiment> {
  return { id, name: 'name', hypothesis: 'hypothesis', ...more };
}

const scorecard = {
  feature_name: 'One tap',
  description_text: 'Pay with one tap',
  complexity: { score: 0.3 },
  initial_effort: { score: 0.4 },
  perceived_risk: { score: 0.5 },
  time_to_value: { score: 0.2 },
};

function outcome(id: string, synthId: string, successRate = 1): LoadedRow<SynthOutcome> {
  return { id, analysis: 'ana', synthId, didNotTryRate: 0, failedRate: 1 - successRate, successRate };
}

function node(id: string, depth: number, parent: string | null): LoadedRow<ScenarioNode> {
  const scorecardParams = { complexity: 0, initial_effort: 0, perceived_risk: 0, time_to_value: 0 };
  return { id, exploration: 'x', depth, parent, scorecardParams };
}
