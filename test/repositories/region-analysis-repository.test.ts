import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RegionAnalysis } from '../../src/entities.ts';
import { InvalidJsonError, InvalidValueError } from '../../src/index.ts';
import { TestDatabase, aRegionAnalysis } from '../../src/testing/index.ts';

describe('RegionAnalysisRepository', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  test('listBySimulation gives the regions of one simulation, the most failing first, then by key', () =>
    db.rollback(async ({ regionAnalyses, em }) => {
      for (const [id, failedRate] of [
        ['c', 0.5],
        ['a', 0.2],
        ['b', 0.5],
        ['d', 0.9],
      ] as const) {
        aRegionAnalysis(em, { id, simulationId: 'sim_1', failedRate });
      }
      aRegionAnalysis(em, { failedRate: 1 });

      const regions = await regionAnalyses.listBySimulation('sim_1');

      expect(regions.map(({ id }) => id)).toEqual(['d', 'b', 'c', 'a']);
      expect(await regionAnalyses.listBySimulation('sim_missing')).toEqual([]);
    }));

  test('what it lists holds what it declares, and no more', () =>
    db.rollback(async ({ regionAnalyses }) => {
      const [added] = regionAnalyses.addAll([region]);
      const { simulationId, ...shown } = region;

      expect(await regionAnalyses.listBySimulation(simulationId)).toEqual([{ id: added?.id, ...shown }]);
    }));

  test('addAll stages every region that it is given, beside those that are there; no regions, none', () =>
    db.rollback(async ({ regionAnalyses, em }) => {
      aRegionAnalysis(em, { simulationId: 'sim_1', failedRate: 1 });

      expect(regionAnalyses.addAll([])).toEqual([]);
      const added = regionAnalyses.addAll([region, { ...region, failedRate: 0.1 }]);

      expect(added.map(({ id }) => id)).toEqual([
        expect.stringMatching(/^region_/),
        expect.stringMatching(/^region_/),
      ]);
      const listed = await regionAnalyses.listBySimulation('sim_1');
      expect(listed.map(({ failedRate }) => failedRate)).toEqual([1, 0.6, 0.1]);
    }));

  test('regions out of shape or range are refused, and none of them is written', async () => {
    const add = (change: { rules?: []; failedRate?: number }): Promise<unknown> =>
      db.transact(async ({ regionAnalyses }) => regionAnalyses.addAll([region, { ...region, ...change }]));

    // @ts-expect-error -- what a caller without types may send
    await expect(add({ rules: [{ attribute: 'a' }] })).rejects.toBeInstanceOf(InvalidJsonError);
    await expect(add({ failedRate: 1.1 })).rejects.toBeInstanceOf(InvalidValueError);
    await expect(add({ failedRate: 1.1 })).rejects.toMatchObject({
      constraint: 'chk_region_analyses_failed_rate_range',
    });
    expect(await db.read((uow) => uow.regionAnalyses.listBySimulation('sim_1'))).toEqual([]);
  });

  test('deleteBySimulation removes all of a simulation, loaded ones included, and counts them', () =>
    db.rollback(async ({ regionAnalyses, em }) => {
      const gone = aRegionAnalysis(em, { simulationId: 'sim_1' });
      aRegionAnalysis(em, { simulationId: 'sim_1' });
      const kept = aRegionAnalysis(em);

      expect(await regionAnalyses.deleteBySimulation('sim_1')).toBe(2);
      expect(await regionAnalyses.deleteBySimulation('sim_1')).toBe(0);

      gone.ruleText = 'too late';
      expect(await regionAnalyses.find(gone.id)).toBeNull();
      expect(await regionAnalyses.listBySimulation(kept.simulationId)).toHaveLength(1);
    }));

  test('regions are replaced in one transaction, or stay', async () => {
    await replaceRegions(db, 0.1);
    await replaceRegions(db, 0.2);
    await expect(replaceRegions(db, 1.1)).rejects.toBeInstanceOf(InvalidValueError);

    const regions = await db.read((uow) => uow.regionAnalyses.listBySimulation('sim_2'));
    expect(regions.map(({ failedRate }) => failedRate)).toEqual([0.2]);
  });
});

const region = {
  simulationId: 'sim_1',
  rules: [{ attribute: 'digital_literacy', operator: '<=' as const, threshold: 0.3 }],
  ruleText: 'digital_literacy <= 0.3',
  synthCount: 50,
  synthPercentage: 12.5,
  didNotTryRate: 0.2,
  failedRate: 0.6,
  successRate: 0.25,
  failureDelta: -0.3,
};

function replaceRegions(db: TestDatabase, failedRate: number): Promise<RegionAnalysis[]> {
  return db.transact(async ({ regionAnalyses }) => {
    await regionAnalyses.deleteBySimulation('sim_2');
    return regionAnalyses.addAll([{ ...region, simulationId: 'sim_2', failedRate }]);
  });
}
