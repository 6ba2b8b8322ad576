import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AnalysisRun, Experiment, ScenarioNode, Synth, SynthOutcome } from '../../../src/entities.ts';
import { UnitOfWork } from '../../../src/index.ts';
import { loadModes, loadRows, type LoadedRow } from '../../../src/loading/index.ts';
import {
  TestDatabase,
  aSynthGroup,
  anAnalysisRun,
  anExperiment,
  anInterviewGuide,
} from '../../../src/testing/index.ts';

const staged = loadModes.filter((mode) => mode !== 'append');
// More than fit into a piece that is sent at once.
const many = 5_000;

describe('a load', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());
  beforeEach(() => db.orm.em.fork().execute('delete from experiments; delete from synths'));

  const keys = async (): Promise<string[]> => {
    const found = await db.orm.em.fork().execute<{ id: string }[]>('select id from experiments order by id');
    return found.map(({ id }) => id);
  };
  const load = (mode: (typeof loadModes)[number], rows: readonly LoadedRow<Experiment>[]) =>
    loadRows(db, { entity: Experiment, mode, rows });

  test.each(loadModes)('by %s rolls back when a deferred constraint fails at the commit', async (mode) => {
    await db.transact(async ({ em }) => void anExperiment(em, { id: 'old', description: 'points' }));
    await db.orm.em
      .fork()
      .execute(
        `alter table experiments add constraint at_last foreign key (description) references synth_groups deferrable initially deferred not valid`,
      );
    try {
      const rows = [row('new', { description: 'at nothing' }), row('old', { description: 'at nothing' })];
      await db.orm.em.fork().execute(`update experiments set description = null`);
      const kept = mode === 'append' ? rows.slice(0, 1) : rows;

      const loaded = load(mode, kept);

      await expect(loaded).rejects.toMatchObject({ name: 'DanglingReferenceError', constraint: 'at_last' });
      expect(await db.orm.em.fork().execute('select id, description from experiments')).toEqual([
        { id: 'old', description: null },
      ]);
    } finally {
      await db.orm.em.fork().execute('alter table experiments drop constraint at_last');
    }
  });

  test('of 2,500 rows, 7 of which exist, inserts exactly 2,493', async () => {
    const rows = Array.from({ length: 2_500 }, (_, n) => row(`e${n}`));
    await load(
      'append',
      [3, 500, 999, 1_000, 1_001, 2_000, 2_499].map((n) => row(`e${n}`)),
    );

    expect(await load('insert_missing', rows)).toMatchObject({ rows: 2_500, inserted: 2_493, skipped: 7 });
  });

  test('on a key that is not unique is refused, and its transaction continues', async () => {
    await db.transact(async (uow) => {
      anExperiment(uow.em, { id: 'before' });
      await expect(
        loadRows(uow, { entity: Experiment, mode: 'upsert', key: ['name'], rows: [row('a')] }),
      ).rejects.toMatchObject({ name: 'InvalidLoadError', message: expect.stringContaining('(id)') });
    });

    expect(await keys()).toEqual(['before']);
  });

  test('on a key that names no property is refused', async () => {
    // As from a program without types.
    const key: never[] = JSON.parse('["nome"]');

    await expect(
      loadRows(db, { entity: Experiment, mode: 'delete_insert', key, rows: [] }),
    ).rejects.toMatchObject({ name: 'InvalidLoadError', message: expect.stringContaining('hypothesis') });
  });

  test.each([
    [{ mode: 'replace' }, /unknown mode "replace"; expected one of: append/],
    [{ onDuplicate: 'first' }, /unknown onDuplicate "first"; expected one of: error, last/],
    [{ entity: TestDatabase }, /TestDatabase is not an entity/],
  ])('refuses invalid options of an untyped program: %j', async (asked, says) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- that is what is tested
    const options = { entity: Experiment, mode: 'upsert', rows: [], ...asked } as never;

    await expect(loadRows(db, options)).rejects.toMatchObject({
      name: 'InvalidLoadError',
      message: expect.stringMatching(says),
    });
  });

  test.each(loadModes)('by %s keeps keys that are called id', async (mode) => {
    if (mode === 'fill_null') await load('append', [row('mine')]);

    await load(mode, [row('mine', { description: 'd' })]);

    expect(await keys()).toEqual(['mine']);
  });

  test.each(staged.flatMap((mode) => [0, many].map((between) => [mode, between] as const)))(
    'by %s refuses two rows with one key, %i rows apart, with their numbers',
    async (mode, between) => {
      const others = Array.from({ length: between }, (_, n) => row(`e${n}`));

      await expect(load(mode, [row('same'), ...others, row('same')])).rejects.toMatchObject({
        name: 'InvalidRowError',
        row: between + 2,
        message: expect.stringContaining('row 1 '),
      });
      expect(await keys()).toEqual([]);
    },
  );

  test.each(staged.flatMap((mode) => [0, many].map((between) => [mode, between] as const)))(
    'by %s with onDuplicate last keeps the last of two rows with one key, %i rows apart',
    async (mode, between) => {
      if (mode === 'fill_null') await load('append', [row('same')]);
      const others = Array.from({ length: between }, (_, n) => row(`e${n}`));
      const rows = [row('same', { description: 'first' }), ...others, row('same', { description: 'last' })];

      const counts = await loadRows(db, { entity: Experiment, mode, rows, onDuplicate: 'last' });

      const written =
        mode === 'fill_null' ? { updated: 1, skipped: between + 1 } : { inserted: between + 1, skipped: 1 };
      expect(counts).toMatchObject({ rows: between + 2, ...written });
      expect(await db.orm.em.fork().execute(`select description from experiments where id = 'same'`)).toEqual(
        [{ description: 'last' }],
      );
    },
  );

  test('that fails at its last row rolls back to its savepoint, and the unit of work continues', async () => {
    await load('append', [row('old', { description: 'old' })]);
    const rows = [
      row('old'),
      ...Array.from({ length: many }, (_, n) => row(`e${n}`)),
      row('bad', { name: '' }),
    ];

    await db.transact(async (uow) => {
      const before = anExperiment(uow.em, { id: 'before' });
      await expect(loadRows(uow, { entity: Experiment, mode: 'delete_insert', rows })).rejects.toMatchObject({
        row: many + 2,
      });
      before.description = 'changed after';
      anExperiment(uow.em, { id: 'after' });
    });

    expect(await db.orm.em.fork().execute('select id, description from experiments order by id')).toEqual([
      { id: 'after', description: null },
      { id: 'before', description: 'changed after' },
      { id: 'old', description: 'old' },
    ]);
  });

  test('is part of the given unit of work, as are any number of other loads', async () => {
    const failing = db.transact(async (uow) => {
      anExperiment(uow.em, { id: 'first' });
      const rows = [row('first', { description: 'd' }), row('second')];
      expect(await loadRows(uow, { entity: Experiment, mode: 'upsert', rows })).toMatchObject({
        inserted: 1,
        updated: 1,
      });
      expect(await loadRows(uow, { entity: Experiment, mode: 'upsert', rows })).toMatchObject({ skipped: 2 });
      expect(
        await loadRows(uow, {
          entity: AnalysisRun,
          mode: 'insert_missing',
          rows: [{ id: 'ana', experiment: 'second', config: {}, startedAt: new Date() }],
        }),
      ).toMatchObject({ inserted: 1 });
      expect(await uow.analysisRuns.find('ana')).toMatchObject({ status: 'pending' });
      throw new Error('changed my mind');
    });

    await expect(failing).rejects.toThrow('changed my mind');
    expect(await keys()).toEqual([]);
  });

  test('refreshes loaded rows of its unit of work, and removes deleted ones', async () => {
    await db.transact(async ({ em }) => {
      anInterviewGuide(em, { experiment: anExperiment(em, { id: 'kept' }), questions: null });
      anInterviewGuide(em, { experiment: anExperiment(em, { id: 'replaced' }) });
    });

    await db.transact(async (uow) => {
      const [kept, replaced] = [await uow.experiments.get('kept'), await uow.experiments.get('replaced')];
      await uow.interviewGuides.get('replaced');
      await loadRows(uow, { entity: Experiment, mode: 'upsert', rows: [row('kept', { name: 'new' })] });
      expect(kept).toMatchObject({ name: 'new', rowVersion: 2 });

      await loadRows(uow, { entity: Experiment, mode: 'delete_insert', rows: [row('replaced')] });
      expect(replaced).toMatchObject({ name: 'name', rowVersion: 2 });
      expect(await uow.interviewGuides.find('replaced')).toBeNull();
      kept.description = 'flushes';
      replaced.description = 'flushes';
    });

    expect(
      await db.orm.em.fork().execute('select distinct description, row_version from experiments'),
    ).toEqual([{ description: 'flushes', row_version: 3 }]);
  });

  test('is refused in a read', async () => {
    await db.read(async (uow) => {
      if (!(uow instanceof UnitOfWork)) throw new Error('a reading unit of work is one too');
      await expect(
        loadRows(uow, { entity: Experiment, mode: 'append', rows: [row('a')] }),
      ).rejects.toMatchObject({ name: 'ReadOnlyError' });
    });
    expect(await keys()).toEqual([]);
  });

  test('accepts children before their parents in append', async () => {
    await db.transact(async ({ em }) => void anAnalysisRun(em, { id: 'ana' }));
    await db.orm.em
      .fork()
      .execute(
        `insert into explorations (id, experiment_id, baseline_analysis_id, goal, config, started_at) select 'x', experiment_id, id, '{}', '{}', now() from analysis_runs`,
      );
    const scorecardParams = { complexity: 0, initial_effort: 0, perceived_risk: 0, time_to_value: 0 };
    const node = (id: string, depth: number, parent: string | null) => ({
      id,
      exploration: 'x',
      depth,
      parent,
      scorecardParams,
    });
    const filler = Array.from({ length: many }, (_, n) => node(`n${n}`, 1, 'root'));

    const rows = [...filler, node('root', 0, null)];
    expect(await loadRows(db, { entity: ScenarioNode, mode: 'append', rows })).toMatchObject({
      inserted: many + 1,
    });
  });

  test('deletes the dependents of a replaced row as the foreign keys declare', async () => {
    await db.transact(
      async ({ em }) => void anAnalysisRun(em, { experiment: anExperiment(em, { id: 'parent' }) }),
    );

    await load('delete_insert', [row('parent')]);

    expect(await db.orm.em.fork().execute('select 1 from analysis_runs')).toEqual([]);
  });

  test('that references a missing row throws DanglingReferenceError', async () => {
    const loaded = loadRows(db, {
      entity: SynthOutcome,
      mode: 'upsert',
      rows: [{ analysis: 'none', synthId: 's', didNotTryRate: 0, failedRate: 0, successRate: 1 }],
    });

    await expect(loaded).rejects.toMatchObject({
      name: 'DanglingReferenceError',
      constraint: 'fk_synth_outcomes_analysis_id',
    });
  });

  test('works after a column was added, and refuses unknown properties', async () => {
    await db.transact(async ({ em }) => void aSynthGroup(em, { id: 'g' }));
    const synths = (id: string) =>
      loadRows(db, { entity: Synth, mode: 'upsert', rows: [{ id, synthGroup: 'g', name: 'n' }] });
    await synths('s1');
    await db.orm.em.fork().execute(`alter table synths add column added text not null default 'its default'`);
    try {
      await synths('s2');

      expect(await db.orm.em.fork().execute('select id, added from synths order by id')).toEqual([
        { id: 's1', added: 'its default' },
        { id: 's2', added: 'its default' },
      ]);
      const rows = [{ id: 's3', name: 'n', added: 'lost?' }];
      await expect(loadRows(db, { entity: Synth, mode: 'upsert', rows })).rejects.toMatchObject({
        row: 1,
        property: 'added',
      });
    } finally {
      await db.orm.em.fork().execute('alter table synths drop column added');
    }
  });
});

function row(id: string, more: LoadedRow<Experiment> = {}): LoadedRow<Experiment> {
  return { id, name: 'name', hypothesis: 'hypothesis', ...more };
}
