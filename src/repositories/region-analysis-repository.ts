import type { EntityManager, RequiredEntityData } from '@mikro-orm/postgresql';
import { RegionAnalysis } from '../entities/region-analysis.ts';
import { forget } from './forget.ts';
import { readModel, type ShownBy } from './read-model/read-model.ts';
import { Repository } from './repository.ts';
import {
  Key,
  arrayOf,
  newRow,
  rowMethods,
  reads,
  stages,
  writes,
  synchronous,
  type Signatures,
} from './signatures/index.ts';

const regionRows = readModel({
  from: 'region_analyses',
  select: {
    id: 'id',
    rules: 'rules',
    ruleText: 'rule_text',
    synthCount: 'synth_count',
    /** 0 to 100. */
    synthPercentage: 'synth_percentage',
    didNotTryRate: 'did_not_try_rate',
    failedRate: 'failed_rate',
    successRate: 'success_rate',
    /** How much more often it fails than the rest. */
    failureDelta: 'failure_delta',
  },
  sorts: { failedRate: [{ desc: 'failed_rate' }] },
  filters: (by) => ({ simulation: by.owner('simulation_id') }),
});

/** A region of a simulation, as it was found. */
export type RegionAnalysisRow = ShownBy<typeof regionRows>;

/** Sets of synths that fail more than the rest. */
export class RegionAnalysisRepository extends Repository<RegionAnalysis> {
  constructor(em: EntityManager) {
    super(em, RegionAnalysis);
  }

  /** The regions of a simulation, the most failing first. */
  listBySimulation(simulationId: string): Promise<RegionAnalysisRow[]> {
    return this.ask(regionRows).list({ simulation: simulationId });
  }

  /** Stages new regions, beside those that their simulation has; no regions, nothing staged. */
  addAll(regions: readonly RequiredEntityData<RegionAnalysis>[]): RegionAnalysis[] {
    return regions.map((region) => this.add(region));
  }

  /**
   * Removes every region of a simulation, by one statement. Gives how many; new ones may be staged after it, in the same
   * transaction.
   */
  async deleteBySimulation(simulationId: string): Promise<number> {
    const db = await this.writing();
    const removed = await db
      .deleteFrom('region_analyses')
      .where('simulation_id', '=', simulationId)
      .returning('id')
      .execute();
    return forget(this.em, RegionAnalysis, removed);
  }

  static readonly signatures = {
    ...rowMethods(RegionAnalysis),
    listBySimulation: reads({ simulationId: Key }),
    addAll: synchronous(stages({ regions: arrayOf(newRow(RegionAnalysis)) })),
    deleteBySimulation: writes({ simulationId: Key }),
  } satisfies Signatures<RegionAnalysisRepository>;
}
