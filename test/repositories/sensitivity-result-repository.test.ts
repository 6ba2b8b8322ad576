import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InvalidJsonError } from '../../src/index.ts';
import { TestDatabase, aSensitivityResult } from '../../src/testing/index.ts';

describe('SensitivityResultRepository', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  test('findLatest gives the analysis of that simulation that was made last, by key where times are equal', () =>
    db.rollback(async ({ sensitivityResults, em }) => {
      for (const [id, second] of [
        ['sens_b', 2],
        ['sens_d', 1],
        ['sens_c', 2],
        ['sens_a', 2],
      ] as const) {
        aSensitivityResult(em, { id, simulationId: 'sim_1', analyzedAt: at(second) });
      }
      aSensitivityResult(em, { analyzedAt: at(3) });

      expect(await sensitivityResults.findLatest('sim_1')).toMatchObject({ id: 'sens_c' });
      expect(await sensitivityResults.findLatest('sim_missing')).toBeNull();
    }));

  test('an analysis is added beside the ones before, and its lists come back as they were', () =>
    db.rollback(async ({ sensitivityResults, em }) => {
      const before = aSensitivityResult(em, { simulationId: 'sim_1', analyzedAt: at(1) });
      const { id } = sensitivityResults.add({ ...result, simulationId: 'sim_1', analyzedAt: at(2) });
      await em.flush();
      em.clear();

      expect(id).toMatch(/^sens_/);
      expect(await sensitivityResults.get(id)).toMatchObject({
        ...result,
        simulationId: 'sim_1',
        analyzedAt: at(2),
        createdAt: expect.any(Date),
      });
      expect(await sensitivityResults.find(before.id)).not.toBeNull();
    }));

  test('an analysis without dimensions is one; one that is out of shape is refused', async () => {
    const add = (rank: number): Promise<void> =>
      db.transact(async ({ sensitivityResults }) => {
        const dimensions = result.dimensions.map((dimension) => ({ ...dimension, rank }));
        sensitivityResults.add({ ...result, dimensions, simulationId: 'sim_1', analyzedAt: at(1) });
      });

    await expect(add(0)).rejects.toBeInstanceOf(InvalidJsonError);
    await db.rollback(async ({ sensitivityResults, em }) => {
      aSensitivityResult(em, { simulationId: 'sim_2', deltasUsed: [], dimensions: [] });
      await em.flush();
      em.clear();
      expect(await sensitivityResults.findLatest('sim_2')).toMatchObject({ deltasUsed: [], dimensions: [] });
    });
  });

  test('deleteBySimulation removes all of a simulation, loaded ones included, and counts them', () =>
    db.rollback(async ({ sensitivityResults, em }) => {
      const gone = aSensitivityResult(em, { simulationId: 'sim_1' });
      aSensitivityResult(em, { simulationId: 'sim_1' });
      const kept = aSensitivityResult(em);

      expect(await sensitivityResults.deleteBySimulation('sim_1')).toBe(2);
      expect(await sensitivityResults.deleteBySimulation('sim_1')).toBe(0);

      gone.mostSensitiveDimension = 'too late';
      expect(await sensitivityResults.find(gone.id)).toBeNull();
      expect(await sensitivityResults.findLatest(kept.simulationId)).toMatchObject({ id: kept.id });
    }));
});

const result = {
  deltasUsed: [-0.1, 0, 0.1],
  baselineSuccess: 0.5,
  mostSensitiveDimension: 'complexity',
  dimensions: [
    {
      dimension: 'complexity',
      baseline_value: 0.5,
      deltas_tested: [-0.1, 0.1],
      outcomes_by_delta: { '-0.1': { did_not_try: 0.2, failed: 0.2, success: 0.6 } },
      sensitivity_index: 1.2,
      rank: 1,
    },
  ],
};

function at(second: number): Date {
  return new Date(Date.UTC(2026, 0, 1, 0, 0, second));
}
