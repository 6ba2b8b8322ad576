import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AnalysisCache, Experiment, SynthGroup, SynthOutcome } from '../../../src/entities.ts';
import { loadModes, loadRows } from '../../../src/loading/index.ts';
import { loadTarget } from '../../../src/loading/load/load-target.ts';
import { rawJSON } from '../../../src/json/raw-json.ts';
import { TestDatabase, anAnalysisRun } from '../../../src/testing/index.ts';

describe('values loaded', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());
  beforeEach(() => db.orm.em.fork().execute('delete from experiments; delete from synth_groups'));

  const ask = (sql: string): Promise<object[]> => db.orm.em.fork().execute(sql);
  const experiments = (row: object, mode: (typeof loadModes)[number] = 'append') =>
    loadRows(db, { entity: Experiment, mode, rows: [{ id: 'e', name: 'n', hypothesis: 'h', ...row }] });

  test('are supported for every column of every entity', () => {
    for (const meta of db.orm.getMetadata().getAll().values())
      expect(loadTarget(db.orm.em, meta).columns.map(({ name }) => name)).toEqual(
        expect.arrayContaining(meta.getPrimaryProps().flatMap(({ fieldNames }) => fieldNames)),
      );
  });

  test('keep the microseconds of a time in any time zone', async () => {
    const times = [
      '2026-03-01T12:00:00.123456Z',
      '2026-03-01 20:00:00.123456+08:00',
      '2026-03-01T07:00:00.123456-05',
    ];
    const rows = times.map((createdAt, index) => ({ id: `g${index}`, name: 'n', createdAt }));
    const dated = { id: 'g3', name: 'n', createdAt: new Date('1969-12-31T23:59:59.999Z') };

    await loadRows(db, { entity: SynthGroup, mode: 'append', rows: [...rows, dated] });

    expect(await ask(`select created_at at time zone 'UTC' as time from synth_groups order by id`)).toEqual([
      { time: '2026-03-01 12:00:00.123456' },
      { time: '2026-03-01 12:00:00.123456' },
      { time: '2026-03-01 12:00:00.123456' },
      { time: '1969-12-31 23:59:59.999' },
    ]);
  });

  test.each([
    ['2026-03-01T12:00:00', /zone/],
    ['2026-02-30T12:00:00Z', /does not exist/],
    ['2026-03-01T24:00:00Z', /does not exist/],
    ['2026-03-01T12:00:00.1234567Z', /six digits/],
    ['yesterday', /ISO/],
    [new Date(Number.NaN), /invalid date/],
    [5, /not a time/],
  ])('are refused as a time: %s', async (createdAt, says) => {
    await expect(experiments({ createdAt })).rejects.toMatchObject({
      message: expect.stringMatching(says),
      row: 1,
      property: 'createdAt',
    });
  });

  test('in documents keep all digits, dates and texts', async () => {
    await db.transact(async ({ em }) => void anAnalysisRun(em, { id: 'ana' }));
    const data = {
      big: 9_007_199_254_740_993n,
      decimal: rawJSON('12345678901234567890.123456789012345678'),
      at: new Date(0),
      text: '\\u0000 "😀" \u2028',
      nothing: null,
      left: undefined,
    };

    await loadRows(db, {
      entity: AnalysisCache,
      mode: 'append',
      rows: [{ analysis: 'ana', cacheKey: 'k', data, computedAt: new Date() }],
    });

    expect(await ask('select data::text as data from analysis_cache')).toEqual([
      {
        data: String.raw`{"at": "1970-01-01T00:00:00.000Z", "big": 9007199254740993, "text": "\\u0000 \"😀\" ${'\u2028'}", "decimal": 12345678901234567890.123456789012345678, "nothing": null}`,
      },
    ]);
  });

  test.each([
    ['NaN', { a: [{ b: Number.NaN }] }, /NaN at a\.0\.b/],
    ['an infinity', { a: Number.NEGATIVE_INFINITY }, /-Infinity at a/],
    ['an invalid date', { a: new Date(Number.NaN) }, /invalid date at a/],
    ['U+0000', { a: 'x\0' }, /U\+0000/],
    ['U+0000 in a key', { 'x\0': 1 }, /U\+0000/],
    ['half of a surrogate pair', { a: '\ud83d' }, /surrogate/],
    ['a circle', circle(), /no JSON/],
  ])('in documents are refused: %s', async (_, config, says) => {
    const loaded = loadRows(db, {
      entity: AnalysisCache,
      mode: 'append',
      rows: [{ analysis: 'ana', cacheKey: 'k', data: config, computedAt: new Date() }],
    });

    await expect(loaded).rejects.toMatchObject({
      name: 'InvalidRowError',
      message: expect.stringMatching(says),
      row: 1,
      property: 'data',
    });
  });

  test.each(loadModes)('are checked by %s for the shape of a document, as a flush does', async (mode) => {
    const scorecardData = { feature_name: 'secret', complexity: { score: 2 } };

    await expect(experiments({ scorecardData }, mode)).rejects.toMatchObject({
      name: 'InvalidRowError',
      message: expect.stringMatching(
        /^row 1, scorecardData: experiments\.scorecard_data .*complexity\.score/,
      ),
      cause: expect.objectContaining({ name: 'InvalidJsonError' }),
    });
  });

  test.each([
    ['name', 5],
    ['name', 'a\0'],
    ['name', '\udc00'],
    ['name', null],
    ['name', undefined],
    ['rowVersion', 1.5],
    ['rowVersion', '1'],
    ['rowVersion', 2 ** 31],
    ['rowVersion', 2n ** 53n + 1n],
    ['nome', 'x'],
  ])(
    'are refused where %s is %s, with the row and the property, and without the value',
    async (property, value) => {
      const rows = [
        { id: 'a', name: 'n', hypothesis: 'h' },
        { id: 'b', name: 'n', hypothesis: 'secret', [property]: value },
      ];

      const error: unknown = await loadRows(db, { entity: Experiment, mode: 'append', rows }).catch(
        (e: unknown) => e,
      );

      expect(error).toMatchObject({ name: 'InvalidRowError', row: 2, property });
      expect(String(error)).not.toContain('secret');
      expect(await ask('select 1 from experiments')).toEqual([]);
    },
  );

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 2n ** 53n + 1n, '0.5'])(
    'are refused as a rate: %s',
    async (successRate) => {
      const row = { analysis: 'ana', synthId: 's', didNotTryRate: 0, failedRate: 0, successRate };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as from a program without types
      const rows = [row as never];

      await expect(loadRows(db, { entity: SynthOutcome, mode: 'append', rows })).rejects.toMatchObject({
        name: 'InvalidRowError',
        row: 1,
        property: 'successRate',
      });
    },
  );

  test.each(loadModes)('that violate a constraint are reported by row number, by %s', async (mode) => {
    const rows = [
      { id: 'a', name: 'n', hypothesis: 'h', description: 'd' },
      { id: 'b', name: 'n', hypothesis: 'h', description: 'secret'.repeat(400) },
    ];

    const error: unknown = await loadRows(db, { entity: Experiment, mode, rows }).catch((e: unknown) => e);

    expect(error).toMatchObject({
      name: 'InvalidValueError',
      table: 'experiments',
      constraint: 'chk_experiments_description_length',
      row: 2,
    });
    expect(String(error)).not.toContain('secret');
  });

  test.each([[null], ['text'], [[]]])('are refused as a row: %j', async (row) => {
    // What a program without types may give.
    const rows: object[] = JSON.parse(JSON.stringify([row]));

    await expect(loadRows(db, { entity: Experiment, mode: 'append', rows })).rejects.toMatchObject({
      row: 1,
      property: null,
    });
  });

  test('that are left out are filled as a flush fills them, and null is NULL', async () => {
    await experiments({ description: null });
    await experiments({ id: 'f', status: 'deleted', description: 'd' });

    expect(
      await ask(
        `select id, description, status, row_version, updated_at, abs(extract(epoch from now() - created_at)) < 60 as new from experiments order by id`,
      ),
    ).toEqual([
      { id: 'e', description: null, status: 'active', row_version: 1, updated_at: null, new: true },
      { id: 'f', description: 'd', status: 'deleted', row_version: 1, updated_at: null, new: true },
    ]);
  });
});

function circle(): Record<string, unknown> {
  const around: Record<string, unknown> = {};
  around['around'] = around;
  return around;
}
