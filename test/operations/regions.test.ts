import { expect } from 'vitest';
import type { Database } from '../../src/index.ts';
import { aRegionAnalysis } from '../../src/testing/index.ts';
import { testWithFaults } from './with-faults.ts';

/** Puts the regions that were found in place of those that were known. */
async function saveRegions(
  database: Database,
  simulationId: string,
  thresholds: readonly number[],
): Promise<void> {
  await database.transact(async ({ regionAnalyses }) => {
    await regionAnalyses.deleteBySimulation(simulationId);
    regionAnalyses.addAll(
      thresholds.map((threshold) => ({
        simulationId,
        rules: [{ attribute: 'digital_literacy', operator: '<=', threshold }],
        ruleText: `digital_literacy <= ${threshold}`,
        synthCount: 50,
        synthPercentage: 10,
        didNotTryRate: 0.2,
        failedRate: 1 - threshold,
        successRate: 0,
        failureDelta: 0.3,
      })),
    );
  });
}

testWithFaults('an analysis of regions', {
  prepare: ({ em }) => aRegionAnalysis(em).simulationId,
  run: (database, simulation) => saveRegions(database, simulation, [0.2, 0.4]),
  async checkResult({ regionAnalyses }, simulation) {
    const regions = await regionAnalyses.listBySimulation(simulation);
    expect(regions.map(({ ruleText }) => ruleText)).toEqual([
      'digital_literacy <= 0.2',
      'digital_literacy <= 0.4',
    ]);
  },
});
