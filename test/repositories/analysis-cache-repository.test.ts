import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AnalysisCache } from '../../src/entities.ts';
import { DanglingReferenceError, InvalidJsonError, type UnitOfWork } from '../../src/index.ts';
import { TestDatabase, anAnalysisCache, anAnalysisRun } from '../../src/testing/index.ts';
import { distribution, executiveSummary, insight, payloads, tryVsSuccess } from './payloads.ts';
import { race } from './race.ts';

describe('AnalysisCacheRepository', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  test('an entry is found by run and key, with every column', () =>
    db.rollback(async ({ analysisCache, em }) => {
      const run = anAnalysisRun(em, { id: 'ana_1' });
      anAnalysisCache(em, {
        analysis: run,
        cacheKey: 'try_vs_success',
        data: tryVsSuccess(),
        params: { x: 0.5 },
        computedAt: at(1),
      });
      anAnalysisCache(em, { analysis: run, cacheKey: 'other' });
      anAnalysisCache(em, { cacheKey: 'try_vs_success' });

      expect(await analysisCache.findEntry('ana_1', 'try_vs_success')).toEqual({
        cacheKey: 'try_vs_success',
        data: tryVsSuccess(),
        params: { x: 0.5 },
        computedAt: at(1),
      });
      expect(await analysisCache.findEntry('ana_1', 'heatmap')).toBeNull();
      expect(await analysisCache.findEntry('ana_missing', 'try_vs_success')).toBeNull();
    }));

  test('an entry is found by its composite key, to be changed', () =>
    db.rollback(async ({ analysisCache, em }) => {
      const run = anAnalysisRun(em);
      anAnalysisCache(em, { analysis: run, cacheKey: 'a' });
      await em.flush();
      em.clear();

      const entry = await analysisCache.get([run.id, 'a']);

      expect(entry).toMatchObject({ cacheKey: 'a' });
      expect(await analysisCache.find([run.id, 'b'])).toBeNull();
    }));

  test('an entry out of the shape of its key is refused where it is read by it, and listed as it is', () =>
    db.rollback(async ({ analysisCache, em }) => {
      const { analysis } = anAnalysisCache(em, { cacheKey: 'heatmap', data: { bins: 1 } });

      const refused = analysisCache.findEntry(analysis.id, 'heatmap');

      await expect(refused).rejects.toBeInstanceOf(InvalidJsonError);
      await expect(refused).rejects.toMatchObject({ column: 'analysis_cache.data' });
      expect(await analysisCache.listEntries(analysis.id)).toMatchObject([{ data: { bins: 1 } }]);
    }));

  test('listEntries gives every entry of one run in the order of the keys', () =>
    db.rollback(async ({ analysisCache, em }) => {
      const run = anAnalysisRun(em);
      anAnalysisCache(em);
      for (const cacheKey of ['scatter', 'elbow', 'outliers'])
        anAnalysisCache(em, { analysis: run, cacheKey });

      const entries = await analysisCache.listEntries(run.id);

      expect(entries.map(({ cacheKey }) => cacheKey)).toEqual(['elbow', 'outliers', 'scatter']);
      expect(entries[0]).toEqual({
        cacheKey: 'elbow',
        data: expect.any(Object),
        params: null,
        computedAt: expect.any(Date),
      });
      expect(await analysisCache.listEntries('ana_missing')).toEqual([]);
    }));

  test('saveEntry stores under a key, and then replaces data and time', () =>
    db.rollback(async (uow) => {
      const { id } = anAnalysisRun(uow.em);

      await uow.analysisCache.saveEntry(id, 'distribution', distribution(), { limit: 50 });
      await uow.em.execute(`update analysis_cache set computed_at = '2020-01-01Z'`);
      await uow.analysisCache.saveEntry(id, 'distribution', { ...distribution(), total_synths: 7 });

      expect(await uow.analysisCache.listEntries(id)).toEqual([
        {
          cacheKey: 'distribution',
          data: { ...distribution(), total_synths: 7 },
          params: { limit: 50 },
          computedAt: expect.any(Date),
        },
      ]);
      const [entry] = await uow.analysisCache.listEntries(id);
      expect(Math.abs(Date.now() - Number(entry?.computedAt))).toBeLessThan(3_600_000);
    }));

  test('absent params stay, null clears them, and none is SQL null', () =>
    db.rollback(async (uow) => {
      const { id } = anAnalysisRun(uow.em);
      const params = async (): Promise<unknown> => (await uow.analysisCache.findEntry(id, 'mine'))?.params;

      await uow.analysisCache.saveEntry(id, 'mine', { n: 1 }, { limit: 50 });
      await uow.analysisCache.saveEntry(id, 'mine', { n: 2 });
      expect(await params()).toEqual({ limit: 50 });
      await uow.analysisCache.saveEntry(id, 'mine', { n: 3 }, { limit: 60 });
      expect(await params()).toEqual({ limit: 60 });
      await uow.analysisCache.saveEntry(id, 'mine', { n: 4 }, null);
      expect(await params()).toBeNull();
      await uow.analysisCache.saveEntry(id, 'fresh', { n: 5 });

      expect(
        await uow.em.execute('select cache_key from analysis_cache where params is null order by 1'),
      ).toEqual([{ cache_key: 'fresh' }, { cache_key: 'mine' }]);
    }));

  test('a save shows in an entry that is loaded', () =>
    db.rollback(async ({ analysisCache, em }) => {
      const run = anAnalysisRun(em);
      const [one, other] = ['one', 'other'].map((cacheKey) =>
        anAnalysisCache(em, { analysis: run, cacheKey, data: { n: 0 } }),
      );

      await analysisCache.saveEntry(run.id, 'one', { n: 1 });
      expect([one?.data, other?.data]).toEqual([{ n: 1 }, { n: 0 }]);
      await analysisCache.saveEntries(run.id, { one: { n: 2 }, other: { n: 2 }, third: { n: 2 } });
      expect([one?.data, other?.data]).toEqual([{ n: 2 }, { n: 2 }]);
    }));

  test('saveEntries stores each kind of payload at once, and replaces what is there', () =>
    db.rollback(async ({ analysisCache, em }) => {
      const { id } = anAnalysisRun(em);
      await analysisCache.saveEntry(id, 'distribution', { ...distribution(), total_synths: 9 }, { p: 1 });
      await analysisCache.saveEntry(id, 'kept', { n: 1 });

      expect(await analysisCache.saveEntries(id, payloads())).toBe(Object.keys(payloads()).length);

      const entries = await analysisCache.listEntries(id);
      expect(Object.fromEntries(entries.map(({ cacheKey, data }) => [cacheKey, data]))).toEqual({
        ...payloads(),
        kept: { n: 1 },
      });
      expect(entries.find(({ cacheKey }) => cacheKey === 'distribution')?.params).toEqual({ p: 1 });
      for (const key of Object.keys(payloads())) {
        await expect(analysisCache.findEntry(id, key)).resolves.toMatchObject({ cacheKey: key });
      }
    }));

  test('saveEntries of nothing stores nothing', () =>
    db.rollback(async ({ analysisCache }) => {
      expect(await analysisCache.saveEntries('ana_missing', {})).toBe(0);
    }));

  test.each([
    ['try_vs_success', { ...tryVsSuccess(), points: [{ synth_id: 'syn_1' }] }],
    ['distribution', { ...distribution(), total_synths: -1 }],
    ['heatmap', { ...payloads().heatmap, bins: 1 }],
    ['scatter', { ...payloads().scatter, correlation: { ...payloads().scatter.correlation, pearson_r: 2 } }],
    ['correlations', { ...payloads().correlations, total_synths: 0.5 }],
    ['clustering_k12', { ...payloads().clustering_k2, clusters: {} }],
    ['pca_scatter', { ...payloads().pca_scatter, explained_variance: ['much'] }],
    ['radar_comparison', { ...payloads().radar_comparison, baseline: null }],
    ['extreme_cases', { ...payloads().extreme_cases, worst_failures: [{}] }],
    ['outliers', { ...payloads().outliers, n_outliers: null }],
    ['shap_summary', { ...payloads().shap_summary, feature_importances: [] }],
    ['insight_anything', { ...insight(), status: 'partial' }],
    ['insight_anything', { ...insight(), summary: 'x'.repeat(2_001) }],
    ['insight_anything', { ...insight(), generation_timestamp: 'yesterday' }],
    ['executive_summary', { ...executiveSummary(), recommendations: ['one'] }],
    ['executive_summary', { ...executiveSummary(), included_chart_types: [] }],
    ['executive_summary', { ...executiveSummary(), overview: 'x'.repeat(1_001) }],
    ['anything', []],
    ['anything', null],
  ])('under %s, %o is out of shape, and nothing is stored', (key, data) =>
    db.rollback(async (uow) => {
      const { id } = anAnalysisRun(uow.em);

      // @ts-expect-error -- what a caller without types may send
      await expect(uow.analysisCache.saveEntry(id, key, data)).rejects.toBeInstanceOf(InvalidJsonError);
      // @ts-expect-error -- likewise
      const several = uow.analysisCache.saveEntries(id, { fine: {}, [key]: data });
      await expect(several).rejects.toBeInstanceOf(InvalidJsonError);
      expect(await stored(uow.em, id)).toEqual([]);
    }),
  );

  test('params out of shape are refused', () =>
    db.rollback(async ({ analysisCache, em }) => {
      const { id } = anAnalysisRun(em);

      // @ts-expect-error -- what a caller without types may send
      const refused = analysisCache.saveEntry(id, 'mine', {}, [1]);

      await expect(refused).rejects.toMatchObject({ column: 'analysis_cache.params' });
    }));

  test('a characters limit counts characters, not halves of them', () =>
    db.rollback(async ({ analysisCache, em }) => {
      anAnalysisRun(em, { id: 'ana_1' });

      await analysisCache.saveChartInsight({ ...insight(), summary: '😀'.repeat(2_000) });

      expect(await analysisCache.findChartInsight('ana_1', 'scatter')).toMatchObject({ status: 'completed' });
    }));

  test('unknown keys of a payload stay', () =>
    db.rollback(async ({ analysisCache, em }) => {
      anAnalysisRun(em, { id: 'ana_1' });

      await analysisCache.saveChartInsight({ ...insight(), evidence: ['kept'] });

      expect(await analysisCache.findChartInsight('ana_1', 'scatter')).toEqual({
        ...insight(),
        evidence: ['kept'],
      });
    }));

  test('a run that is not there is refused by the database', async () => {
    const refused = db.transact(({ analysisCache }) => analysisCache.saveEntry('ana_missing', 'mine', {}));

    await expect(refused).rejects.toBeInstanceOf(DanglingReferenceError);
    await expect(refused).rejects.toMatchObject({ constraint: 'fk_analysis_cache_analysis_id' });
  });

  test('two first saves of one entry at once both succeed, and the later one stays', async () => {
    const { id } = await db.transact(async ({ em }) => anAnalysisRun(em));

    await race(
      db,
      ({ analysisCache }) => analysisCache.saveEntry(id, 'mine', { n: 1 }),
      ({ analysisCache }) => analysisCache.saveEntry(id, 'mine', { n: 2 }),
    );

    await db.read(async ({ analysisCache }) => {
      expect(await analysisCache.listEntries(id)).toMatchObject([{ cacheKey: 'mine', data: { n: 2 } }]);
    });
  });

  test('saveEntries writes in one order however it is called, so that two at once do not lock each other out', () =>
    db.rollback(async ({ analysisCache, em }) => {
      const { id } = anAnalysisRun(em);

      await analysisCache.saveEntries(id, { b: {}, c: {}, a: {} });

      const written = await em.execute(
        'select cache_key from analysis_cache where analysis_id = ? order by ctid',
        [id],
      );
      expect(written).toEqual([{ cache_key: 'a' }, { cache_key: 'b' }, { cache_key: 'c' }]);
    }));

  test('deleteEntry removes one entry of one run, and tells whether there was one', () =>
    db.rollback(async ({ analysisCache, em }) => {
      const [run, other] = [anAnalysisRun(em), anAnalysisRun(em)];
      for (const analysis of [run, other]) {
        for (const cacheKey of ['a', 'b']) anAnalysisCache(em, { analysis, cacheKey });
      }

      expect(await analysisCache.deleteEntry(run.id, 'a')).toBe(true);
      expect(await analysisCache.deleteEntry(run.id, 'a')).toBe(false);

      expect((await analysisCache.listEntries(run.id)).map(({ cacheKey }) => cacheKey)).toEqual(['b']);
      expect(await analysisCache.listEntries(other.id)).toHaveLength(2);
    }));

  test('deleteEntries removes those of one run, and tells how many', () =>
    db.rollback(async ({ analysisCache, em }) => {
      const [run, other] = [anAnalysisRun(em), anAnalysisRun(em)];
      for (const analysis of [run, other]) {
        for (const cacheKey of ['a', 'b']) anAnalysisCache(em, { analysis, cacheKey });
      }

      expect(await analysisCache.deleteEntries(run.id)).toBe(2);
      expect(await analysisCache.deleteEntries(run.id)).toBe(0);

      expect(await analysisCache.listEntries(other.id)).toHaveLength(2);
    }));

  test.each([
    ['deleteEntry', (uow: UnitOfWork, run: string) => uow.analysisCache.deleteEntry(run, 'mine')],
    ['deleteEntries', (uow: UnitOfWork, run: string) => uow.analysisCache.deleteEntries(run)],
  ] as const)('%s takes a loaded entry out of the unit of work', (_, remove) =>
    db.rollback(async (uow) => {
      const entry: AnalysisCache = anAnalysisCache(uow.em, { cacheKey: 'mine' });
      await uow.em.flush();

      await remove(uow, entry.analysis.id);

      expect(await uow.analysisCache.find([entry.analysis.id, 'mine'])).toBeNull();
    }),
  );

  test('an insight is stored under the chart that it names, apart from the chart', () =>
    db.rollback(async ({ analysisCache, em }) => {
      anAnalysisRun(em, { id: 'ana_1' });

      await analysisCache.saveChartInsight(insight('scatter'));

      expect(await analysisCache.findChartInsight('ana_1', 'scatter')).toEqual(insight('scatter'));
      expect(await analysisCache.findChartInsight('ana_1', 'heatmap')).toBeNull();
      expect(await analysisCache.listEntries('ana_1')).toMatchObject([{ cacheKey: 'insight_scatter' }]);
    }));

  test('an insight out of shape is refused where it is asked for', () =>
    db.rollback(async ({ analysisCache, em }) => {
      const { analysis } = anAnalysisCache(em, { cacheKey: 'insight_scatter', data: { caption: 'old' } });

      const refused = analysisCache.findChartInsight(analysis.id, 'scatter');

      await expect(refused).rejects.toBeInstanceOf(InvalidJsonError);
    }));

  test('listChartInsights gives every insight in the order of the charts, and tells of those out of shape', () =>
    db.rollback(async ({ analysisCache, em }) => {
      const run = anAnalysisRun(em, { id: 'ana_1' });
      anAnalysisCache(em, { cacheKey: 'insight_of_another' });
      for (const cacheKey of ['scatter', 'insight', 'insightXscatter', 'an_insight_scatter']) {
        anAnalysisCache(em, { analysis: run, cacheKey });
      }
      anAnalysisCache(em, { analysis: run, cacheKey: 'insight_old', data: { caption: 'c' } });
      await analysisCache.saveChartInsight(insight('scatter'));
      await analysisCache.saveChartInsight(insight('heatmap'));
      await analysisCache.saveExecutiveSummary(executiveSummary());

      expect(await analysisCache.listChartInsights('ana_1')).toEqual([
        { chartType: 'heatmap', insight: insight('heatmap'), invalid: null },
        { chartType: 'old', insight: null, invalid: expect.any(InvalidJsonError) },
        { chartType: 'scatter', insight: insight('scatter'), invalid: null },
      ]);
    }));

  test('the executive summary is stored, replaced and found', () =>
    db.rollback(async ({ analysisCache, em }) => {
      anAnalysisRun(em, { id: 'ana_1' });
      expect(await analysisCache.findExecutiveSummary('ana_1')).toBeNull();

      await analysisCache.saveExecutiveSummary(executiveSummary());
      await analysisCache.saveExecutiveSummary({ ...executiveSummary(), overview: 'new' });

      expect(await analysisCache.findExecutiveSummary('ana_1')).toEqual({
        ...executiveSummary(),
        overview: 'new',
      });
    }));

  test('an executive summary out of shape is refused', () =>
    db.rollback(async ({ analysisCache, em }) => {
      const { analysis } = anAnalysisCache(em, { cacheKey: 'executive_summary', data: { overview: 'o' } });

      await expect(analysisCache.findExecutiveSummary(analysis.id)).rejects.toBeInstanceOf(InvalidJsonError);
    }));
});

async function stored(em: UnitOfWork['em'], analysis: string): Promise<unknown[]> {
  return em.execute('select * from analysis_cache where analysis_id = ?', [analysis]);
}

function at(second: number): Date {
  return new Date(Date.UTC(2026, 0, 1, 0, 0, second));
}
