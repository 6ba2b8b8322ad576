import type { EntityManager, RequiredEntityData } from '@mikro-orm/postgresql';
import { RegionAnalysis } from '../entities/region-analysis.ts';
import { detachDeleted } from './detach-deleted.ts';
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
    /** The difference of its failure rate to that of the other synths. */
    failureDelta: 'failure_delta',
  },
  sorts: { failedRate: [{ desc: 'failed_rate' }] },
  filters: (by) => ({ simulation: by.parent('simulation_id') }),
});

/** A region of a simulation. */
export type RegionAnalysisRow = ShownBy<typeof regionRows>;

/** Regions of simulations: sets of synths that fail more often than the others. */
export class RegionAnalysisRepository extends Repository<RegionAnalysis> {
  constructor(em: EntityManager) {
    super(em, RegionAnalysis);
  }

  /** Returns the regions of a simulation, highest failure rate first. */
  listBySimulation(simulationId: string): Promise<RegionAnalysisRow[]> {
    return this.read(regionRows).list({ simulation: simulationId });
  }

  /** Stages new regions, and returns them. Existing regions stay. */
  addAll(regions: readonly RequiredEntityData<RegionAnalysis>[]): RegionAnalysis[] {
    return regions.map((region) => this.add(region));
  }

  /** Deletes every region of a simulation, by one statement, and returns their number. */
  async deleteBySimulation(simulationId: string): Promise<number> {
    const db = await this.queryForWrite();
    const deleted = await db
      .deleteFrom('region_analyses')
      .where('simulation_id', '=', simulationId)
      .returning('id')
      .execute();
    return detachDeleted(this.em, RegionAnalysis, deleted);
  }

  static readonly signatures = {
    ...rowMethods(RegionAnalysis),
    listBySimulation: reads({ simulationId: Key }),
    addAll: synchronous(stages({ regions: arrayOf(newRow(RegionAnalysis)) })),
    deleteBySimulation: writes({ simulationId: Key }),
  } satisfies Signatures<RegionAnalysisRepository>;
}
