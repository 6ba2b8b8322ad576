import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InvalidJsonError, InvalidValueError, NotFoundError } from '../../src/index.ts';
import { TestDatabase, aChartInsight } from '../../src/testing/index.ts';
import { race } from './race.ts';

describe('ChartInsightRepository', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  test('findByType and getByType give the insight of that simulation and type', () =>
    db.rollback(async ({ chartInsights, em }) => {
      aChartInsight(em, { insightType: 'scatter' });
      aChartInsight(em, { simulationId: 'ana_1', insightType: 'heatmap' });
      const { id } = aChartInsight(em, { simulationId: 'ana_1', insightType: 'scatter' });

      expect(await chartInsights.findByType('ana_1', 'scatter')).toMatchObject({ id });
      expect(await chartInsights.getByType('ana_1', 'scatter')).toMatchObject({ id });
      expect(await chartInsights.findByType('ana_1', 'outliers')).toBeNull();
      await expect(chartInsights.getByType('ana_1', 'outliers')).rejects.toBeInstanceOf(NotFoundError);
    }));

  test('listBySimulation gives the insights on the charts of one simulation, oldest first, then by key', () =>
    db.rollback(async ({ chartInsights, em }) => {
      for (const [id, second] of [
        ['c', 2],
        ['b', 1],
        ['d', 1],
        ['a', 2],
      ] as const) {
        aChartInsight(em, { id, simulationId: 'ana_1', insightType: `chart ${id}`, createdAt: at(second) });
      }
      aChartInsight(em, { simulationId: 'ana_1', insightType: 'executive_summary' });
      aChartInsight(em, { simulationId: 'ana_2' });

      const insights = await chartInsights.listBySimulation('ana_1');

      expect(insights.map(({ id }) => id)).toEqual(['b', 'd', 'a', 'c']);
      expect(await chartInsights.listBySimulation('ana_missing')).toEqual([]);
    }));

  test('what it lists holds what it declares, and no more; what is out of shape says so', () =>
    db.rollback(async ({ chartInsights, em }) => {
      const caption = { caption: 'of an older kind' };
      aChartInsight(em, { simulationId: 'ana_1', responseJson: caption, createdAt: at(1) });
      await chartInsights.saveInsight('ana_1', 'scatter', insight);
      await chartInsights.saveInsight('ana_1', 'scatter', { ...insight, extra: 1 });

      expect(await chartInsights.listBySimulation('ana_1')).toEqual([
        {
          id: expect.any(String),
          insightType: 'distribution',
          responseJson: caption,
          insight: null,
          invalid: expect.any(InvalidJsonError),
          createdAt: at(1),
          updatedAt: null,
        },
        {
          id: expect.any(String),
          insightType: 'scatter',
          responseJson: { ...insight, extra: 1 },
          insight: { ...insight, extra: 1 },
          invalid: null,
          createdAt: expect.any(Date),
          updatedAt: expect.any(Date),
        },
      ]);
    }));

  test('saveInsight stores a first insight', () =>
    db.rollback(async ({ chartInsights }) => {
      const id = await chartInsights.saveInsight('ana_1', 'scatter', insight);

      expect(id).toMatch(/^ins_/);
      expect(await chartInsights.get(id)).toMatchObject({
        simulationId: 'ana_1',
        insightType: 'scatter',
        responseJson: insight,
        createdAt: expect.any(Date),
        updatedAt: null,
      });
    }));

  test('saveInsight replaces what was said of that chart alone, and keeps its key and its time', () =>
    db.rollback(async ({ chartInsights, em }) => {
      const loaded = aChartInsight(em, { simulationId: 'ana_1', createdAt: at(1) });
      const sibling = aChartInsight(em, { simulationId: 'ana_1', insightType: 'scatter' });
      const other = aChartInsight(em);

      expect(await chartInsights.saveInsight('ana_1', 'distribution', insight)).toBe(loaded.id);

      expect(loaded).toMatchObject({
        responseJson: insight,
        createdAt: at(1),
        updatedAt: expect.any(Date),
      });
      for (const row of [sibling, other]) {
        await em.refresh(row);
        expect(row).toMatchObject({ responseJson: { summary: expect.any(String) }, updatedAt: null });
      }
    }));

  test('saveInsight moves the time even where the same is said again', () =>
    db.rollback(async ({ chartInsights }) => {
      const id = await chartInsights.saveInsight('ana_1', 'scatter', insight);
      await chartInsights.saveInsight('ana_1', 'scatter', insight);

      expect((await chartInsights.get(id)).updatedAt).toBeInstanceOf(Date);
    }));

  test('saveInsight refuses an insight that is out of shape, and a simulation without a key', async () => {
    const odd = { ...insight, status: 'odd' };

    await expect(
      // @ts-expect-error -- what a caller without types may send
      db.transact(({ chartInsights }) => chartInsights.saveInsight('ana_1', 'scatter', odd)),
    ).rejects.toBeInstanceOf(InvalidJsonError);
    await expect(
      db.transact(({ chartInsights }) => chartInsights.saveInsight('', 'scatter', insight)),
    ).rejects.toBeInstanceOf(InvalidValueError);
  });

  test('of two who say something of a chart at once the last wins, under the key of the first', async () => {
    const [first, second] = await race(
      db,
      ({ chartInsights }) =>
        chartInsights.saveInsight('ana_race', 'scatter', { ...insight, summary: 'first' }),
      ({ chartInsights }) =>
        chartInsights.saveInsight('ana_race', 'scatter', { ...insight, summary: 'second' }),
    );

    expect(second).toBe(first);
    expect(await db.read((uow) => uow.chartInsights.listBySimulation('ana_race'))).toMatchObject([
      { id: first, insight: { summary: 'second' } },
    ]);
  });

  test('an executive summary is stored once for a simulation, and found', () =>
    db.rollback(async ({ chartInsights, em }) => {
      await chartInsights.saveInsight('ana_1', 'scatter', insight);
      const id = await chartInsights.saveExecutiveSummary('ana_1', 'first');
      expect(await chartInsights.saveExecutiveSummary('ana_1', 'second')).toBe(id);
      await chartInsights.saveExecutiveSummary('ana_2', 'of another');

      expect(await chartInsights.findExecutiveSummary('ana_1')).toBe('second');
      expect(await chartInsights.findExecutiveSummary('ana_missing')).toBeNull();
      expect(await em.execute('select response_json from chart_insights where id = ?', [id])).toEqual([
        {
          response_json: {
            executive_summary: 'second',
            generated_at: expect.stringMatching(/^\d{4}-.*Z$/),
          },
        },
      ]);
    }));

  test('an executive summary without a text is none', () =>
    db.rollback(async ({ chartInsights, em }) => {
      aChartInsight(em, { simulationId: 'ana_1', insightType: 'executive_summary', responseJson: {} });

      expect(await chartInsights.findExecutiveSummary('ana_1')).toBeNull();
    }));

  test('removeByType removes that insight and no other', () =>
    db.rollback(async ({ chartInsights, em }) => {
      const gone = aChartInsight(em, { simulationId: 'ana_1', insightType: 'scatter' });
      const kept = aChartInsight(em, { simulationId: 'ana_1', insightType: 'heatmap' });
      const other = aChartInsight(em, { insightType: 'scatter' });

      await chartInsights.removeByType('ana_1', 'scatter');

      expect(await chartInsights.find(gone.id)).toBeNull();
      expect(await chartInsights.listBySimulation('ana_1')).toMatchObject([{ id: kept.id }]);
      expect(await chartInsights.listBySimulation(other.simulationId)).toHaveLength(1);
      await expect(chartInsights.removeByType('ana_1', 'scatter')).rejects.toBeInstanceOf(NotFoundError);
    }));

  test('deleteBySimulation removes all of a simulation, summary and loaded ones included, and counts them', () =>
    db.rollback(async ({ chartInsights, em }) => {
      const gone = aChartInsight(em, { simulationId: 'ana_1' });
      await chartInsights.saveExecutiveSummary('ana_1', 's');
      const kept = aChartInsight(em);

      expect(await chartInsights.deleteBySimulation('ana_1')).toBe(2);
      expect(await chartInsights.deleteBySimulation('ana_1')).toBe(0);

      gone.responseJson = { changed: 'too late' };
      expect(await chartInsights.find(gone.id)).toBeNull();
      expect(await chartInsights.findExecutiveSummary('ana_1')).toBeNull();
      expect(await chartInsights.listBySimulation(kept.simulationId)).toHaveLength(1);
    }));
});

const insight = {
  analysis_id: 'ana_1',
  chart_type: 'scatter',
  summary: 'Who knows such tools succeeds.',
  generation_timestamp: '2026-01-01T00:00:00Z',
  status: 'completed' as const,
};

function at(second: number): Date {
  return new Date(Date.UTC(2026, 0, 1, 0, 0, second));
}
